import type { Logger } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import { ApiError, isForbidden, isGone, isNotFound, isTooManyRequests } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { Backoff, type BackoffOptions, reflectorBackoff } from './backoff.ts';
import { type Clock, sleep } from './clock.ts';
import { listAll } from './list-all.ts';
import type { ReflectorMetrics } from './metrics.ts';
import { keyOf } from './object-key.ts';
import { isBrokenOff, obstacleOf, refusalText } from './obstacle.ts';
import { OwnWrites } from './own-writes.ts';
import type { Change, Store } from './store.ts';
import { withSilenceTimeout } from './watchdog.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: KubeApi;
  readonly type: ResourceType;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly store: Store<T>;
  /** Called after the store changed. Must not throw; what it throws is logged and changes nothing else. */
  readonly onChange: (change: Change<T>) => void;
  /** What is stored in place of an object, such as one without the parts that nobody reads. Default: itself. */
  readonly transform?: ((object: T) => T) | undefined;
  /** The type may not be served: there are none of it then. Absent: that is an error, tried again soon. */
  readonly optional?: OptionalType | undefined;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics | undefined;
  /** Objects in a page of a list. Default: 500, as client-go. */
  readonly pageSize?: number | undefined;
  /**
   * A watch on which nothing came for so long is cut and begun again. A quiet type gets a bookmark about once a minute.
   * Default: 90 s.
   */
  readonly silenceTimeoutMs?: number | undefined;
  /** Default: client-go's. */
  readonly backoff?: BackoffOptions | undefined;
}

export interface ReflectorState {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** RFC 3339: when the last complete list came; absent before the first. */
  readonly listedAt?: string;
  /** RFC 3339: when a list, an event or a bookmark came last; absent before the first. */
  readonly heardAt?: string;
  /** Why the last list or watch failed; absent: it did not. */
  readonly obstacle?: string;
}

export interface OptionalType {
  /** While it is not served, nobody asks for it. `lookAgain` says that this has changed. */
  readonly isServed: () => boolean;
  /** Whether we may have no right to read it, which is then as if there were none. */
  readonly mayBeForbidden: boolean;
}

/** How long until the next look at a type that is not served: `lookAgain` tells earlier. */
const absentTypeMs = 300_000;
/** The same where it is said to be served and is not: the API server needs a moment. */
const comingTypeMs = 2000;
/** The same where it may not be read. */
const forbiddenTypeMs = 300_000;
/** A type that is not served, or may not be read, is looked for at least so often: somebody is installing it. */
const refusedMs = 10_000;
/** A watch that lasted so long, or brought an event, was a good one: the next begins without a delay. */
const healthyWatchMs = 1000;
/** After a watch that lasted so long the next failure counts as the first: what failed before is over. */
const settledWatchMs = 10_000;
/** After so many watches in a row that brought nothing, the resourceVersion itself is suspect: list again. */
const maxFruitlessWatches = 5;

/**
 * Keeps a store equal to what the API server has, after client-go's tools/cache/reflector.go: lists, then watches from
 * the list's resourceVersion for ever. A watch that ends, is cut or falls silent goes on from the last resourceVersion
 * seen; only where the server no longer knows that one (410) does it list again, and then the store is replaced in one
 * step, with a change for everything that was missed, deletions included. It ends only with its signal.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #backoff: Backoff;
  readonly #firstSync = Promise.withResolvers<void>();
  readonly #firstRefusal = Promise.withResolvers<void>();
  #hasSynced = false;
  #obstacle: string | undefined;
  #isRefused = false;
  /** Where the next watch begins; absent: list first. */
  #resourceVersion: string | undefined;
  #fruitlessWatches = 0;
  #listedAtMs: number | undefined;
  #heardAtMs: number | undefined;
  readonly #ownWrites = new OwnWrites();
  #absence = new AbortController();

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? reflectorBackoff, options.clock, options.random);
  }

  /** True once the store holds a complete list; it stays so. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when the store holds a complete list for the first time. */
  get synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  state(): ReflectorState {
    const { namespace } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(this.#listedAtMs === undefined ? {} : { listedAt: new Date(this.#listedAtMs).toISOString() }),
      ...(this.#heardAtMs === undefined ? {} : { heardAt: new Date(this.#heardAtMs).toISOString() }),
      ...(this.#obstacle === undefined ? {} : { obstacle: this.#obstacle }),
    };
  }

  /** Why the last list or watch failed, in a sentence; undefined: it did not. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** True from when we turned out to have no right to read, to the next complete list. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Resolves when we turned out to have no right to read, for the first time. */
  get refused(): Promise<void> {
    return this.#firstRefusal.promise;
  }

  /**
   * Stores the answer to a write of ours before the watch brings it, so that nobody decides by what we have just
   * changed. Where the watch is past that version already, it has shown what became of the object since.
   */
  written(object: T): void {
    if (this.#resourceVersion === undefined || !this.#ownWrites.record(object, this.#resourceVersion)) return;
    for (const change of this.#options.store.put(this.#transform(object))) this.#notify(change);
  }

  /** Says that an optional type may be served by now. */
  lookAgain(): void {
    this.#absence.abort();
  }

  /** Runs until the signal aborts, whatever happens. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion !== undefined) await this.#watch(this.#resourceVersion, signal);
        else if (this.#options.optional?.isServed() === false) await this.#holdNone(absentTypeMs, signal);
        else this.#resourceVersion = await this.#list(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(await this.#doesWithout(error, signal))) await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { api, type, namespace, labelSelector, fieldSelector, store, metrics } = this.#options;
    try {
      const scope = { namespace, labelSelector, fieldSelector };
      const list = await listAll<T>(api, type, scope, this.#options.pageSize ?? 500, signal);
      metrics?.listed(true);
      const changes = store.replace(list.items.map(this.#transform), namespace);
      this.#ownWrites.clear();
      this.#fruitlessWatches = 0;
      this.#hasSynced = true;
      this.#listedAtMs = this.#heardAtMs = this.#options.clock.now();
      this.#obstacle = undefined;
      this.#isRefused = false;
      for (const change of changes) this.#notify(change);
      this.#firstSync.resolve();
      return list.resourceVersion;
    } catch (error) {
      if (!signal.aborted) metrics?.listed(false);
      throw error;
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { api, type, namespace, labelSelector, fieldSelector, clock, random, metrics } = this.#options;
    const startMs = clock.elapsedMs();
    let events = 0;
    try {
      await withSilenceTimeout(clock, this.#options.silenceTimeoutMs ?? 90_000, signal, async (watchSignal, heard) => {
        // Between 5 and 10 minutes, as client-go, so that the watches of many clients do not end together.
        const timeoutSeconds = Math.floor(300 * (1 + random()));
        const scope = { namespace, labelSelector, fieldSelector };
        for await (const event of api.watch<T>(type, { ...scope, resourceVersion, timeoutSeconds }, watchSignal)) {
          heard();
          this.#heardAtMs = clock.now();
          events++;
          if (event.type === 'BOOKMARK') {
            this.#resourceVersion = event.resourceVersion;
            continue;
          }
          const changes = this.#ownWrites.overtook(event.object) ? [] : this.#store(event.type, event.object);
          this.#resourceVersion = event.object.metadata.resourceVersion;
          for (const change of changes) this.#notify(change);
        }
      });
      metrics?.watched(true);
    } catch (error) {
      if (signal.aborted) throw error;
      metrics?.watched(false);
      if (this.#wasFruitful(events, startMs) && isBrokenOff(error)) {
        this.#options.log.info({ err: error, kind: type.kind }, 'Watch was cut, going on from the last event');
        return;
      }
      throw error;
    }
    if (!this.#wasFruitful(events, startMs))
      throw new Error(`The watch of ${type.plural} ended at once, with no event`);
  }

  #store(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): readonly Change<T>[] {
    const { store } = this.#options;
    return type === 'DELETED' ? store.remove(keyOf(object)) : store.put(this.#transform(object));
  }

  #wasFruitful(events: number, startMs: number): boolean {
    const lastedMs = this.#options.clock.elapsedMs() - startMs;
    if (lastedMs >= settledWatchMs) this.#backoff.reset();
    const fruitful = events > 0 || lastedMs >= healthyWatchMs;
    this.#fruitlessWatches = fruitful ? 0 : this.#fruitlessWatches + 1;
    return fruitful;
  }

  /** Goes without an optional type; false where `error` says something else than that it cannot be read. */
  async #doesWithout(error: unknown, signal: AbortSignal): Promise<boolean> {
    const { optional, log, type, namespace } = this.#options;
    if (optional === undefined) return false;
    if (isNotFound(error)) await this.#holdNone(comingTypeMs, signal);
    else if (optional.mayBeForbidden && isForbidden(error)) {
      log.info({ kind: type.kind, namespace }, 'Had no right to read a type, going without it');
      await this.#holdNone(forbiddenTypeMs, signal);
    } else return false;
    return true;
  }

  /** Has none of the type, until so much time has passed or `lookAgain` is called. */
  async #holdNone(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock, store, namespace } = this.#options;
    this.#absence = new AbortController();
    const changes = store.replace([], namespace);
    this.#ownWrites.clear();
    this.#resourceVersion = undefined;
    this.#hasSynced = true;
    for (const change of changes) this.#notify(change);
    this.#firstSync.resolve();
    await sleep(clock, waitMs, AbortSignal.any([signal, this.#absence.signal])).catch(() => undefined);
  }

  /** Decides from where to go on, and waits as long as is due. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log, type, namespace } = this.#options;
    const isRefusal = isForbidden(error) || isNotFound(error);
    const backoffMs = Math.min(this.#backoff.nextDelayMs(), isRefusal ? refusedMs : Infinity);
    const delayMs = Math.max(backoffMs, (error instanceof ApiError && error.retryAfterMs) || 0);
    const relist = isGone(error) || this.#fruitlessWatches >= maxFruitlessWatches;
    if (relist) this.#resourceVersion = undefined;
    const context = { err: error, kind: type.kind, namespace, delayMs: Math.round(delayMs) };
    const obstacle = obstacleOf(error, type);
    const isKnown = obstacle === this.#obstacle;
    this.#obstacle = obstacle;
    if (isForbidden(error)) {
      this.#isRefused = true;
      this.#firstRefusal.resolve();
    }
    if (isGone(error)) log.info(context, 'Watch fell behind the history of the API server, listing again');
    else if (isTooManyRequests(error)) log.info(context, 'API server was busy, waiting');
    // It may last for days, and one line of it is enough.
    else if (isRefusal) log[isKnown ? 'debug' : 'warn'](context, refusalText(error));
    else log.warn(context, 'Could not list or watch, trying again');
    await sleep(clock, delayMs, signal).catch(() => undefined);
  }

  readonly #transform = (object: T): T => this.#options.transform?.(object) ?? object;

  #notify(change: Change<T>): void {
    try {
      this.#options.onChange(change);
    } catch (error) {
      this.#options.log.error(
        { err: error, kind: this.#options.type.kind, key: change.key },
        'Handler of a change threw',
      );
    }
  }
}
