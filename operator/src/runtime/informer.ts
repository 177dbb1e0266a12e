import type { KubeObject } from '../kube/types.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
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
  readonly kind: string;
  readonly #store: Store<T>;
  readonly #reflectors: readonly Reflector<T>[];
  readonly #handlers: ((change: Change<T>) => void)[] = [];

  constructor(options: InformerOptions<T>) {
    this.kind = options.type.kind;
    this.#store = new Store(options.indexes);
    const scopes = options.namespaces.length === 0 ? [undefined] : options.namespaces;
    this.#reflectors = scopes.map(
      (namespace) => new Reflector({ ...options, namespace, store: this.#store, onChange: this.#publish }),
    );
  }

  get store(): StoreReader<T> {
    return this.#store;
  }

  /** `handler` gets every change from now on, after the store has it. Register before `run`. */
  onChange(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler);
  }

  /** True once every watched namespace was listed. */
  get hasSynced(): boolean {
    return this.#reflectors.every((reflector) => reflector.hasSynced);
  }

  async synced(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.synced));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  readonly #publish = (change: Change<T>): void => {
    for (const handler of this.#handlers) handler(change);
  };
}
