import { InferenceError } from '../failures.ts';
import type { LoadedModelHandle } from './load-model.ts';
import type { LoadedModel } from './served-model.ts';

/**
 * A loaded model that counts its inferences, so that it is freed only after the last of them. A request that was
 * looked up before a change and begins after it still finds the model for a while: see {@link GRACE_MS}.
 */
export class RetiringModel {
  readonly model: LoadedModel;
  readonly #handle: LoadedModelHandle;
  readonly #idle = new Set<() => void>();
  #running = 0;
  #gone = false;

  constructor(handle: LoadedModelHandle) {
    this.#handle = handle;
    this.model = { ...handle.model, infer: (...call) => this.#infer(...call) };
  }

  /**
   * Frees the model once the grace period is over and no inference runs.
   *
   * @param graceMs in milliseconds; 0 where no request can come any more
   */
  async retire(graceMs = GRACE_MS): Promise<void> {
    if (graceMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
    this.#gone = true;
    await this.#handle.unload();
  }

  async #infer(...call: Parameters<LoadedModel['infer']>): ReturnType<LoadedModel['infer']> {
    if (this.#gone) throw new InferenceError('ModelRemoved', 'The model was replaced or removed: ask for it again');
    this.#running += 1;
    try {
      return await this.#handle.model.infer(...call);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) {
        for (const wake of this.#idle) wake();
        this.#idle.clear();
      }
    }
  }
}

/** How long after a change a request may still begin that had looked the model up before, in milliseconds. */
const GRACE_MS = 2_000;
