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

  /** `live` is the object as the store has it, with our managedFields entry; absent where there is none. */
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

/** Never another object of the same name, which somebody may have made since we looked. */
function ofThisVery(intent: Intent, live: KubeObject | undefined): Intent {
  return live === undefined ? intent : { ...intent, metadata: { ...intent.metadata, uid: live.metadata.uid } };
}
