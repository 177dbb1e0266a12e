/**
 * `runtime/` is what controller-runtime gives Go: stores kept current by reflectors, work queues, controllers, health
 * and metrics endpoints, and the order in which they start and stop. It knows nothing of ModelService. The manager is
 * its entrance; a main.ts assembles an operator with it like this:
 *
 *   const metrics = new OperatorMetrics();
 *   const api = new KubeClient({ kubeConfig, userAgent, onResponse: metrics.countRequest });
 *   const manager = new Manager({ api, log, metrics, namespaces: [], health: { port: 8081 }, metricsAt: { port: 8080 } });
 *   const applier = new Applier({ api, onResult: metrics.countApply, onWritten: manager.written });
 *   const services = manager.informer<ModelService>(MODEL_SERVICE, { keepManagers: ['modelservice'] });
 *   const deployments = manager.informer<Deployment>(DEPLOYMENT, { labelSelector, keepManagers, indexes });
 *   const controller = manager.controller('modelservice', reconcile, { workers: 8 });
 *   services.onChange(({ key }) => controller.enqueue(key));
 *   deployments.onChange(({ before, after }) => …controllerKeyOf(object, MODEL_SERVICE)… controller.enqueue(key));
 *   await manager.run(signal);   // resolves when the signal aborted and all has stopped; rejects if something broke
 *   await api.close();
 *
 * `reconcile` reads `services.store`, `deployments.store` (StoreReader) and writes with `applier.apply(type, intent,
 * live, { fieldManager, subresource? }, signal)`, which sends nothing when nothing differs.
 */
import type { Logger } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { type Clock, systemClock } from './clock.ts';
import { Controller, type ControllerOptions } from './controller.ts';
import { type DebugState, debugHandler } from './debug.ts';
import { type Check, healthHandler } from './health.ts';
import { type Address, type Handler, type HttpEndpoint, serveHttp } from './http-endpoint.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { keepManagedFieldsOf } from './keep-managed-fields.ts';
import type { ElectionState } from './leader-election.ts';
import type { OperatorMetrics } from './metrics.ts';
import { refOfKey } from './object-key.ts';
import type { Reconcile } from './reconcile.ts';

export interface ManagerOptions {
  readonly api: KubeApi;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  /** Which namespaces every informer watches. Empty: all. */
  readonly namespaces: readonly string[];
  /** Where /healthz and /readyz are served, and /debug for callers inside the pod. */
  readonly health: Address;
  /** Where /metrics is served. */
  readonly metricsAt: Address;
  /** How long the queues may take to drain at the stop, before their reconciles are aborted. Default: 20 s. */
  readonly drainTimeoutMs?: number | undefined;
  /** Who of several processes works. Default: each of them. */
  readonly election?: Election | undefined;
  /** A watch on which nothing came for so long is begun again. Default: 90 s. */
  readonly silenceTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Numbers in [0, 1). Default: Math.random. */
  readonly random?: (() => number) | undefined;
}

/** A leader election, as the manager goes through it: once. */
export interface Election {
  /** False when `signal` aborted before this process led. */
  acquire(signal: AbortSignal): Promise<boolean>;
  /** Until `signal` aborts; rejects as soon as another may lead. */
  hold(signal: AbortSignal): Promise<void>;
  /** When nothing is written any more. */
  release(): Promise<void>;
  /** What keeps it from ever leading; undefined: nothing. */
  readonly problem: string | undefined;
  state(): ElectionState;
}

export interface ManagedInformerOptions<T extends KubeObject>
  extends Pick<
    InformerOptions<T>,
    'labelSelector' | 'fieldSelector' | 'indexes' | 'transform' | 'pageSize' | 'optional'
  > {
  /** The field managers whose managedFields are stored, for the applier's comparison; all others are dropped. */
  readonly keepManagers?: readonly string[] | undefined;
  /** Default: the manager's. */
  readonly namespaces?: readonly string[] | undefined;
}

/** How long until the next look at a namespace of which something cannot be read yet. */
const UNKNOWN_RETRY_MS = 2000;

/**
 * Runs the parts of an operator. Start: endpoints, informers, and once all of those have synced and this process leads,
 * controllers; a standby is ready, with its stores current. Stop: controllers (their queues drained), the lease given
 * back, informers, endpoints last, so that probes and scrapes see the whole of it. Where leadership is lost, what is
 * under way is aborted and `run` rejects: the process is to end.
 */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #clock: Clock;
  readonly #informers: Pick<Informer<KubeObject>, 'knows' | 'usable' | 'run'>[] = [];
  readonly #stores: (() => DebugState['stores'][number])[] = [];
  /** Those that are told of our own writes. */
  readonly #written: Pick<Informer<KubeObject>, 'type' | 'written'>[] = [];
  readonly #controllers: Controller[] = [];
  readonly #checks = new Map<string, Check>();
  readonly #healthHandlers: Handler[] = [];
  #isWorking = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { election } = options;
    if (election !== undefined) this.#checks.set('leader election', () => election.problem);
  }

  /** A store of one type. Ask before `run`. */
  informer<T extends KubeObject>(type: ResourceType, options: ManagedInformerOptions<T> = {}): Informer<T> {
    const { keepManagers = [], transform, namespaces = this.#options.namespaces, ...rest } = options;
    const { api, log, metrics, silenceTimeoutMs, random = Math.random } = this.#options;
    const keep = keepManagedFieldsOf<T>(keepManagers);
    const informer = new Informer<T>({
      ...rest,
      transform: (object) => keep(transform?.(object) ?? object),
      api,
      type,
      namespaces: type.namespaced ? namespaces : [],
      clock: this.#clock,
      random,
      log,
      metrics: metrics.forReflector(type.kind),
      silenceTimeoutMs,
    });
    this.#informers.push(informer);
    if (rest.fieldSelector === undefined) this.#written.push(informer);
    const selectors = [rest.labelSelector, rest.fieldSelector].filter((selector) => selector !== undefined);
    this.#stores.push(() => ({ kind: type.kind, selectors, ...informer.state() }));
    this.#checks.set(['informer', type.kind, ...selectors].join(' '), () => informer.obstacle);
    return informer;
  }

  /**
   * Stores the answer to a write of ours before the watch brings it: for the applier's `onWritten`. Informers of that
   * type must select whatever the operator writes; one with a field selector follows its watch alone.
   */
  readonly written = (type: ResourceType, object: KubeObject): void => {
    for (const informer of this.#written) {
      if (informer.type.group === type.group && informer.type.plural === type.plural) informer.written(object);
    }
  };

  /** A controller with a queue of its own. Ask before `run`. */
  controller(
    name: string,
    reconcile: Reconcile,
    options: Pick<ControllerOptions, 'workers' | 'rateLimit' | 'initialKeys'> = {},
  ): Controller {
    const { log, metrics } = this.#options;
    const inKnown: Reconcile = async (key, context) =>
      this.#knows(key) ? await reconcile(key, context) : { requeueAfterMs: UNKNOWN_RETRY_MS };
    const controller = new Controller({ ...options, name, reconcile: inKnown, clock: this.#clock, log, metrics });
    this.#controllers.push(controller);
    return controller;
  }

  /** One more condition for /readyz. */
  addReadyCheck(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** What the health port serves beside its own. Ask before `run`. */
  serveBesideHealth(handler: Handler): void {
    this.#healthHandlers.push(handler);
  }

  /** True while the controllers work: the stores are complete, and no other process has the work. */
  get isWorking(): boolean {
    return this.#isWorking;
  }

  /** Runs until `signal` aborts and everything has stopped. Rejects when an address cannot be had or a part breaks. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, election } = this.#options;
    const endpoints = await this.#listen(this.#clock.elapsedMs());
    const stopControllers = new AbortController();
    const abortReconciles = new AbortController();
    const endTerm = new AbortController();
    const stopInformers = new AbortController();
    const stop = (): void => stopControllers.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const broken = Promise.withResolvers<never>();
    // What breaks while everything stops is told by the awaits below.
    broken.promise.catch(() => undefined);
    const guard = (part: Promise<void>): Promise<void> => {
      part.catch(broken.reject);
      return part;
    };
    const informers = this.#informers.map((informer) => guard(informer.run(stopInformers.signal)));
    const controllers: Promise<void>[] = [];
    let leads: Promise<boolean> = Promise.resolve(true);
    let term: Promise<void> = Promise.resolve();
    try {
      const synced = Promise.all(this.#informers.map((informer) => informer.usable()));
      const stopped = aborted(stopControllers.signal);
      await Promise.race([synced, stopped, broken.promise]);
      if (election !== undefined && !stopControllers.signal.aborted) leads = election.acquire(stopControllers.signal);
      if ((await Promise.race([leads, broken.promise])) && !stopControllers.signal.aborted) {
        if (election !== undefined) term = guard(election.hold(endTerm.signal));
        // No time to drain: somebody else may work by now.
        term.catch((error) => abortReconciles.abort(error));
        log.info({ controllers: this.#controllers.map(({ name }) => name) }, 'Stores synced, starting workers');
        for (const controller of this.#controllers) {
          controllers.push(guard(controller.run(stopControllers.signal, abortReconciles.signal)));
        }
        this.#isWorking = true;
        await Promise.race([stopped, broken.promise]);
      }
    } finally {
      this.#isWorking = false;
      signal.removeEventListener('abort', stop);
      log.info('Stopping');
      stopControllers.abort();
      const cancelDeadline = this.#clock.schedule(this.#options.drainTimeoutMs ?? 20_000, () =>
        abortReconciles.abort(new Error('the operator stops and could not wait any longer')),
      );
      await Promise.allSettled(controllers);
      cancelDeadline();
      endTerm.abort();
      await Promise.allSettled([leads, term]);
      await election?.release();
      stopInformers.abort();
      await Promise.allSettled(informers);
      await Promise.all(endpoints.map((endpoint) => endpoint.close()));
    }
  }

  /** Whether the stores have all of the namespace in which `key` is. */
  #knows(key: string): boolean {
    const { namespace } = refOfKey(key);
    return this.#informers.every((informer) => informer.knows(namespace));
  }

  #state(startMs: number): DebugState {
    return {
      upSeconds: Math.round((this.#clock.elapsedMs() - startMs) / 1000),
      isWorking: this.#isWorking,
      election: this.#options.election?.state(),
      controllers: this.#controllers.map((controller) => controller.state()),
      stores: this.#stores.map((store) => store()),
    };
  }

  async #listen(startMs: number): Promise<readonly HttpEndpoint[]> {
    const { health, metricsAt, metrics } = this.#options;
    const handlers = [healthHandler(this.#checks), debugHandler(() => this.#state(startMs)), ...this.#healthHandlers];
    const healthEndpoint = await serveHttp(health, async (path, caller) => {
      for (const handler of handlers) {
        const answer = await handler(path, caller);
        if (answer !== undefined) return answer;
      }
      return undefined;
    });
    try {
      const metricsEndpoint = await serveHttp(metricsAt, async (path) => {
        if (path !== '/metrics') return undefined;
        const { text, contentType } = await metrics.exposition();
        return { status: 200, contentType, body: text };
      });
      return [healthEndpoint, metricsEndpoint];
    } catch (error) {
      await healthEndpoint.close();
      throw error;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
