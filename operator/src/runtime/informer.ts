import type { KubeObject, ResourceType } from '../kube/types.ts';
import { Reflector, type ReflectorOptions, type ReflectorState } from './reflector.ts';
import { type Change, type IndexFunction, Store } from './store.ts';
import type { StoreReader } from './store-reader.ts';

export interface InformerOptions<T extends KubeObject>
  extends Omit<ReflectorOptions<T>, 'store' | 'onChange' | 'namespace'> {
  /** One reflector for each; empty: one for the whole cluster. */
  readonly namespaces: readonly string[];
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
}

/** The store of one type, kept current by a reflector for each watched namespace, and those who want its changes. */
export class Informer<T extends KubeObject> {
  readonly type: ResourceType;
  readonly #store: Store<T>;
  /** By the namespace that they watch; undefined: all. */
  readonly #reflectors: ReadonlyMap<string | undefined, Reflector<T>>;
  readonly #handlers: ((change: Change<T>) => void)[] = [];

  constructor(options: InformerOptions<T>) {
    this.type = options.type;
    this.#store = new Store(options.indexes);
    const scopes = options.namespaces.length === 0 ? [undefined] : options.namespaces;
    this.#reflectors = new Map(
      scopes.map((namespace) => [
        namespace,
        new Reflector({ ...options, namespace, store: this.#store, onChange: this.#publish }),
      ]),
    );
  }

  get store(): StoreReader<T> {
    return this.#store;
  }

  /** `handler` gets every change from now on, after the store has it. Register before `run`. */
  onChange(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler);
  }

  /** Stores the answer to a write of ours before the watch brings it. `object` must match the informer's selectors. */
  written(object: T): void {
    const reflector = this.#reflectors.get(object.metadata.namespace) ?? this.#reflectors.get(undefined);
    reflector?.written(object);
  }

  /** Says that the type may be served by now, where it is an optional one. */
  lookAgain(): void {
    for (const reflector of this.#reflectors.values()) reflector.lookAgain();
  }

  /** Whether all of this type in a namespace is stored, as far as that namespace is watched. */
  knows(namespace: string | undefined): boolean {
    return (this.#reflectors.get(namespace) ?? this.#reflectors.get(undefined))?.hasSynced ?? true;
  }

  /** How many objects there are, and how current they are. */
  state(): { readonly objects: number; readonly hasSynced: boolean; readonly watches: readonly ReflectorState[] } {
    const watches = Array.from(this.#reflectors.values(), (reflector) => reflector.state());
    return { objects: this.#store.size, hasSynced: this.#hasSynced, watches };
  }

  /**
   * Undefined once there is something to work with: one of several namespaces that may not be read, perhaps because it
   * does not exist any more, keeps nobody from looking after the others. Else what is waited for.
   */
  get obstacle(): string | undefined {
    const reflectors = [...this.#reflectors.values()];
    const waiting = reflectors.filter(({ hasSynced, isRefused }) => !hasSynced && !isRefused);
    if (waiting.length === 0 && reflectors.some(({ hasSynced }) => hasSynced)) return undefined;
    const first = waiting[0] ?? reflectors[0];
    return first?.obstacle ?? 'not synced yet';
  }

  /** Resolves once there is no such obstacle. */
  async usable(): Promise<void> {
    const reflectors = [...this.#reflectors.values()];
    await Promise.all(reflectors.map((reflector) => Promise.race([reflector.synced, reflector.refused])));
    await Promise.any(reflectors.map(({ synced }) => synced));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from(this.#reflectors.values(), (reflector) => reflector.run(signal)));
  }

  get #hasSynced(): boolean {
    return [...this.#reflectors.values()].every(({ hasSynced }) => hasSynced);
  }

  readonly #publish = (change: Change<T>): void => {
    for (const handler of this.#handlers) handler(change);
  };
}
