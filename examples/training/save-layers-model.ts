import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { TensorFlow } from '../../server-image/src/engine/load-tensorflow.ts';

/**
 * Writes `model.json` and `weights.bin` into a folder: what serving needs and nothing of the training, with a signature
 * that names the inputs and outputs.
 *
 * @returns size of both files in bytes
 */
export async function saveLayersModel(tf: TensorFlow, model: LayersModel, folder: string): Promise<number> {
  let bytes = 0;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    const { modelTopology, weightSpecs = [], weightData, format, generatedBy } = artifacts;
    const weights = Buffer.from(tf.io.CompositeArrayBuffer.join(weightData));
    const json = {
      format,
      generatedBy,
      convertedBy: null,
      modelTopology,
      signature: signatureOf(model),
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
    };
    const text = `${JSON.stringify(json, null, 2)}\n`;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'model.json'), text);
    await writeFile(join(folder, 'weights.bin'), weights);
    bytes = Buffer.byteLength(text) + weights.byteLength;
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await model.save(handler, { includeOptimizer: false });
  return bytes;
}

/** In the form of TensorFlow's SignatureDef, as the converter writes it for graph models. */
function signatureOf(model: LayersModel): io.ModelJSON['signature'] {
  return {
    inputs: describe(model.inputNames, model.inputs),
    outputs: describe(model.outputNames, model.outputs),
  };
}

function describe(names: readonly string[], tensors: readonly SymbolicTensor[]) {
  return Object.fromEntries(
    tensors.map((tensor, index) => {
      const name = names[index] ?? tensor.name;
      const dim = tensor.shape.map((size) => ({ size: String(size ?? -1) }));
      return [name, { name, dtype: 'DT_FLOAT', tensorShape: { dim } }];
    }),
  );
}
