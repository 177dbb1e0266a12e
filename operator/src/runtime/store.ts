import type { KubeObject } from '../kube/types.ts';
import { keyOf } from './object-key.ts';
import type { StoreReader } from './store-reader.ts';

/** The values under which an object is found in one index. */
export type IndexFunction<T extends KubeObject> = (object: T) => readonly string[];

/** What happened to one key. `before` is absent for a new object, `after` for one that is gone. */
export interface Change<T extends KubeObject> {
  readonly key: string;
  readonly before?: T;
  readonly after?: T;
}

/** The objects of one type, with indexes that follow every change. */
export class Store<T extends KubeObject> implements StoreReader<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { readonly of: IndexFunction<T>; readonly keys: Map<string, Set<string>> }>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const [name, of] of Object.entries(indexes)) this.#indexes.set(name, { of, keys: new Map() });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new TypeError(`the store has no index "${index}": declare it where it is made`);
    const objects: T[] = [];
    for (const key of found.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  get size(): number {
    return this.#objects.size;
  }

  /**
   * Stores an object. An object of the same name with another uid is another object: the change is then two, the old
   * one gone and the new one there. No change when it is the very version that is stored.
   */
  put(object: T): readonly Change<T>[] {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before === undefined) {
      this.#set(key, object);
      return [{ key, after: object }];
    }
    const { uid, resourceVersion } = object.metadata;
    if (before.metadata.uid !== uid) {
      this.#unset(key, before);
      this.#set(key, object);
      return [
        { key, before },
        { key, after: object },
      ];
    }
    if (before.metadata.resourceVersion === resourceVersion) return [];
    this.#unset(key, before);
    this.#set(key, object);
    return [{ key, before, after: object }];
  }

  remove(key: string): readonly Change<T>[] {
    const before = this.#objects.get(key);
    if (before === undefined) return [];
    this.#unset(key, before);
    return [{ key, before }];
  }

  /** Makes the store hold exactly `objects` in one step; with a namespace, only that namespace is replaced. */
  replace(objects: readonly T[], namespace?: string): readonly Change<T>[] {
    const keys = new Set(objects.map(keyOf));
    const changes: Change<T>[] = [];
    for (const [key, object] of [...this.#objects]) {
      const inScope = namespace === undefined || object.metadata.namespace === namespace;
      if (inScope && !keys.has(key)) changes.push(...this.remove(key));
    }
    for (const object of objects) changes.push(...this.put(object));
    return changes;
  }

  #set(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      for (const value of index.of(object)) {
        const keys = index.keys.get(value);
        if (keys === undefined) index.keys.set(value, new Set([key]));
        else keys.add(key);
      }
    }
  }

  #unset(key: string, object: T): void {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) {
      for (const value of index.of(object)) {
        const keys = index.keys.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.keys.delete(value);
      }
    }
  }
}
