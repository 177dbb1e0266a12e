import type { Tensor, TensorSpec } from '../engine/tensor.ts';

export type ModelFormat = 'LayersModel' | 'GraphModel';
export type EngineName = 'TensorFlow' | 'Wasm' | 'JavaScript';
export type ModelPhase = 'Fetching' | 'Verifying' | 'Loading' | 'WarmingUp' | 'Ready' | 'Failed';

/** What is known of a model once it is loaded. */
export interface LoadedModel {
  /** `sha256:…` of the model's content, see digest.ts. */
  readonly digest: string;
  readonly format: ModelFormat;
  readonly engine: EngineName;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Free-form facts for the metadata, such as the shape that the warm-up used. */
  readonly notes: readonly string[];
  /**
   * Runs the model once. `inputs` holds one tensor for each entry of `inputs` above, already checked against it;
   * `outputs` names the tensors wanted, in the order wanted. Rejects with an `InferenceError`.
   *
   * @param deadlineMs the moment of `performance.now()` by which an answer is wanted; what could not be answered by then
   *   is refused, and what has begun is finished. Default: none
   */
  infer(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
    signal: AbortSignal,
    deadlineMs?: number,
  ): Promise<ReadonlyMap<string, Tensor>>;
}

/**
 * One entry of the configuration's list and where it stands. While a changed entry loads beside a model that serves,
 * and after it failed to, this is still the one that serves: phase Ready, with its own version and uri.
 */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
  readonly phase: ModelPhase;
  /**
   * Present in phase Ready. Look it up again for each request, after its body was read: what was looked up before a
   * change goes on working for 2 s and for the inferences that began in it.
   */
  readonly loaded: LoadedModel | undefined;
  /** Present in phase Failed, and in phase Ready when a change of the entry could not be loaded. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
}

/** What the protocols see of the models. */
export interface ModelRepository {
  get(name: string): ServedModel | undefined;
  list(): readonly ServedModel[];
}
