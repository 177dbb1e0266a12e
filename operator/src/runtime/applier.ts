import type { ApplyOptions, KubeApi } from '../kube/api.ts';
import { firstDifference } from '../kube/owned-fields.ts';
import type { Intent, KubeObject, ResourceType } from '../kube/types.ts';
import type { ApplyResult } from './metrics.ts';

export interface ApplierOptions {
  readonly api: KubeApi;
  readonly onResult?: (kind: string, manager: string, result: ApplyResult) => void;
  /** Called with the answer to each apply, for the stores. */
  readonly onWritten?: (type: ResourceType, object: KubeObject) => void;
}

export interface Applied<T> {
  /** As the server has it now; the live object where nothing was sent. */
  readonly object: T;
  /** The path of the first field that differed; absent when nothing did and so nothing was sent. */
  readonly difference?: string;
}

/** Writes intents by forced server-side apply, and sends nothing when the live object has all of one already. */
export class Applier {
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /**
   * `live` is the object as the store has it, with our managedFields entry. Where it is absent, the apply makes the object
   * and fails with a conflict if there is one all the same: one that no store holds, because it is not marked as ours.
   */
  async apply<T extends KubeObject>(
    type: ResourceType,
    intent: Intent,
    live: T | undefined,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<Applied<T>> {
    const { api, onResult, onWritten } = this.#options;
    const difference = live === undefined ? 'the object, which is missing' : firstDifference(intent, live, options);
    if (live !== undefined && difference === undefined) {
      onResult?.(type.kind, options.fieldManager, 'skipped');
      return { object: live };
    }
    try {
      const object = await api.apply<T>(type, ofThisVery(intent, live), options, signal);
      onResult?.(type.kind, options.fieldManager, 'applied');
      onWritten?.(type, object);
      return difference === undefined ? { object } : { object, difference };
    } catch (error) {
      onResult?.(type.kind, options.fieldManager, 'failed');
      throw error;
    }
  }
}

/**
 * The version of no object: an apply that names it makes an object, and is refused (409) where one of that name is there,
 * because its version is another one. Versions are etcd's revisions, and the first of those is of an empty store.
 */
const NO_OBJECT = '1';

/** Never another object of the same name, which may be there without our knowing, or made since we looked. */
function ofThisVery(intent: Intent, live: KubeObject | undefined): Intent {
  const precondition = live === undefined ? { resourceVersion: NO_OBJECT } : { uid: live.metadata.uid };
  return { ...intent, metadata: { ...intent.metadata, ...precondition } };
}
