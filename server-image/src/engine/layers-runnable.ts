import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { datatypeOf } from './datatypes.ts';
import { InvalidModelError } from './engine-errors.ts';
import type { EngineModel } from './engine-messages.ts';
import type { TensorFlow } from './load-tensorflow.ts';
import { modelArtifacts, type Runnable } from './runnable.ts';
import type { TensorSpec } from './tensor.ts';

/** Rows that a layers model is run over at once; eight times what predict() takes. */
const MAX_ROWS = 256;

/** Loads a layers model. Its tensors are named as the layers that take and give them. */
export async function loadLayersRunnable(tf: TensorFlow, content: EngineModel): Promise<Runnable> {
  const artifacts = await modelArtifacts(tf, content);
  const model = await tf.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  const inputs = specs(model.inputs);
  const outputs = specs(model.outputs);
  const order = new Map(outputs.map(({ name }, index) => [name, index]));
  return {
    signature: { inputs, outputs },
    async run(given, wanted) {
      // `call` is what predict() ends in, without its splitting into batches of 32 and joining of the results.
      const call = (tensors: TfTensor[]) => {
        const all = model.call(tensors, { training: false }) as TfTensor | TfTensor[];
        const list = Array.isArray(all) ? all : [all];
        return wanted.map((name) => at(list, order.get(name), name));
      };
      return tf.tidy(() => inParts(tf, ordered(inputs, given), call));
    },
    dispose() {
      model.dispose();
    },
  };
}

/**
 * Runs a function of rows over a part of them at a time. What lies between the layers is a multiple of the input: a
 * convolution made 12 GB of the 132 MB that a request of the largest size holds.
 */
function inParts(tf: TensorFlow, given: TfTensor[], run: (part: TfTensor[]) => TfTensor[]): TfTensor[] {
  const rows = given[0]?.shape[0] ?? 0;
  if (rows <= MAX_ROWS || given.some(({ shape }) => shape[0] !== rows)) return run(given);
  const parts: TfTensor[][] = [];
  for (let start = 0; start < rows; start += MAX_ROWS) {
    const size = Math.min(MAX_ROWS, rows - start);
    parts.push(tf.tidy(() => run(given.map((tensor) => tf.slice(tensor, start, size)))));
  }
  return (parts[0] ?? []).map((_, output) =>
    tf.concat(
      parts.flatMap((part) => part[output] ?? []),
      0,
    ),
  );
}

function specs(tensors: readonly SymbolicTensor[]): TensorSpec[] {
  const used = new Set<string>();
  return tensors.map((tensor) => {
    const layer = tensor.sourceLayer?.name ?? tensor.name;
    // A layer with several outputs has one name for all of them.
    let name = layer;
    for (let copy = 1; used.has(name); copy += 1) name = `${layer}_${copy}`;
    used.add(name);
    const datatype = datatypeOf(tensor.dtype);
    if (datatype === undefined) {
      throw new InvalidModelError(`"${name}" has dtype ${tensor.dtype}; this server takes float32, int32 and bool`);
    }
    return { name, datatype, shape: tensor.shape.map((size) => size ?? -1) };
  });
}

function ordered(inputs: readonly TensorSpec[], given: ReadonlyMap<string, TfTensor>): TfTensor[] {
  return inputs.map(({ name }) => {
    const tensor = given.get(name);
    if (tensor === undefined) throw new Error(`The input "${name}" is missing`);
    return tensor;
  });
}

function at(list: readonly TfTensor[], index: number | undefined, name: string): TfTensor {
  const tensor = index === undefined ? undefined : list[index];
  if (tensor === undefined) throw new Error(`The model gives no output "${name}"`);
  return tensor;
}
