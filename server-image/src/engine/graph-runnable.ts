import type { NamedTensorMap, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { datatypeOf } from './datatypes.ts';
import { InvalidModelError } from './engine-errors.ts';
import type { EngineModel } from './engine-messages.ts';
import { type GraphTensor, graphTensors, hasDynamicOperations } from './graph-signature.ts';
import type { TensorFlow } from './load-tensorflow.ts';
import { modelArtifacts, type Runnable } from './runnable.ts';
import type { TensorSpec } from './tensor.ts';

/**
 * Loads a graph model. Its tensors are named as the signature in model.json names them, or as the graph's own nodes
 * where there is no signature.
 */
export async function loadGraphRunnable(tf: TensorFlow, content: EngineModel): Promise<Runnable> {
  const artifacts = await modelArtifacts(tf, content);
  const model = await tf.loadGraphModel({ load: () => Promise.resolve(artifacts) });
  const tensors = graphTensors(content.json, model);
  const dynamic = hasDynamicOperations(content.json);
  const nodes = new Map([...tensors.inputs, ...tensors.outputs].map(({ name, node }) => [name, node]));
  const node = (name: string) => nodes.get(name) ?? name;
  return {
    signature: { inputs: tensors.inputs.map(spec), outputs: tensors.outputs.map(spec) },
    async run(given, wanted) {
      const inputs: NamedTensorMap = {};
      for (const [name, tensor] of given) inputs[node(name)] = tensor;
      const names = wanted.map(node);
      // Operations whose result has no shape known beforehand run in the asynchronous way only, which for all others
      // is slower and prints a warning.
      const results = dynamic ? await model.executeAsync(inputs, names) : tf.tidy(() => model.execute(inputs, names));
      return list(results);
    },
    dispose() {
      model.dispose();
    },
  };
}

function spec({ name, dtype, shape }: GraphTensor): TensorSpec {
  const datatype = datatypeOf(dtype);
  if (datatype === undefined) {
    throw new InvalidModelError(`"${name}" has dtype ${dtype}; this server takes float32, int32 and bool`);
  }
  return { name, datatype, shape };
}

function list(results: TfTensor | TfTensor[]): TfTensor[] {
  return Array.isArray(results) ? results : [results];
}
