import type { io, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { EngineModel, ModelSignature } from './engine-messages.ts';
import type { TensorFlow } from './load-tensorflow.ts';

/** A model in an engine, ready to be run. */
export interface Runnable {
  readonly signature: ModelSignature;
  /** Runs the model on tensors by input name; gives one tensor for each name wanted, which the caller disposes. */
  run(inputs: ReadonlyMap<string, TfTensor>, outputs: readonly string[]): Promise<TfTensor[]>;
  /** Frees the weights. */
  dispose(): void;
}

/** The model's artifacts in TensorFlow.js's own form, with a copy of the weights that is this thread's own. */
export function modelArtifacts(tf: TensorFlow, { json, weights }: EngineModel): Promise<io.ModelArtifacts> {
  const bytes = new ArrayBuffer(weights.byteLength);
  new Uint8Array(bytes).set(new Uint8Array(weights));
  // A training configuration is of no use here, and an optimizer that TensorFlow.js lacks would refuse the model.
  const { trainingConfig: _, ...served } = json as io.ModelJSON;
  return tf.io.getModelArtifactsForJSON(served, (manifest) =>
    Promise.resolve([manifest.flatMap((group) => group.weights), bytes]),
  );
}
