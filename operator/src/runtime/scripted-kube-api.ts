import type { KubeApi, KubeList, ListOptions, WatchEvent, WatchOptions } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';

/** One watch that a test answers by hand. */
export class ScriptedWatch {
  readonly options: WatchOptions;
  readonly #events: WatchEvent<KubeObject>[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: WatchOptions) {
    this.options = options;
  }

  send(...events: readonly WatchEvent<KubeObject>[]): void {
    this.#events.push(...events);
    this.#wake.resolve();
  }

  /** Ends as a server does, or breaks off with an error. */
  end(error?: unknown): void {
    this.#end = error === undefined ? {} : { error };
    this.#wake.resolve();
  }

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const onAbort = (): void => this.end(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    for (;;) {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) yield event;
      if (this.#end !== undefined) break;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    signal.removeEventListener('abort', onAbort);
    if (this.#end.error !== undefined) throw this.#end.error;
  }
}

/**
 * An API server for tests, as a script: lists answer what stands in `lists` (the last one again and again), and each
 * watch waits for the test, unless an error stands in `watchErrors`.
 */
export class ScriptedKubeApi implements KubeApi {
  readonly lists: (KubeList<KubeObject> | Error)[] = [];
  readonly watchErrors: Error[] = [];
  readonly listCalls: ListOptions[] = [];
  readonly watches: ScriptedWatch[] = [];

  /** The watch that was begun last. */
  get watching(): ScriptedWatch {
    const watch = this.watches.at(-1);
    if (watch === undefined) throw new Error('No watch was begun');
    return watch;
  }

  async list<T extends KubeObject>(_type: ResourceType, options: ListOptions): Promise<KubeList<T>> {
    this.listCalls.push(options);
    const answer = this.lists.length > 1 ? this.lists.shift() : this.lists[0];
    if (answer === undefined) throw new Error('The script has no list');
    if (answer instanceof Error) throw answer;
    return answer as KubeList<T>;
  }

  async *watch<T extends KubeObject>(
    _type: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const watch = new ScriptedWatch(options);
    this.watches.push(watch);
    const error = this.watchErrors.shift();
    if (error !== undefined) throw error;
    yield* watch.events(signal) as AsyncGenerator<WatchEvent<T>>;
  }

  get(): Promise<never> {
    return Promise.reject(new Error('The script has no get'));
  }

  apply(): Promise<never> {
    return Promise.reject(new Error('The script has no apply'));
  }

  servedVersions(): Promise<never> {
    return Promise.reject(new Error('The script has no API groups'));
  }

  delete(): Promise<never> {
    return Promise.reject(new Error('The script has no delete'));
  }
}

export function apiError(code: number, reason: string, retryAfterMs?: number): ApiError {
  return new ApiError({ attempt: 'do as the script says', code, reason, statusMessage: reason, retryAfterMs });
}

export function scriptedObject(name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name, uid, resourceVersion } };
}
