import type { KubeObject } from '../kube/types.ts';

/** What business code sees of a store: reads only, as of the last event. Keys are `namespace/name`. */
export interface StoreReader<T extends KubeObject> {
  get(key: string): T | undefined;
  list(): readonly T[];
  /** The objects for which the index function `index` returned `value`. Throws for an index that was not declared. */
  byIndex(index: string, value: string): readonly T[];
}
