import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { EngineWorkerData } from './engine-messages.ts';
import { loadTensorflow, type TensorFlow } from './load-tensorflow.ts';

/** TensorFlow.js with one backend set. */
export interface Tfjs {
  readonly tf: TensorFlow;
  /** Whether the backend computes on a GPU. */
  readonly gpu: boolean;
}

/**
 * Loads TensorFlow.js with the backend of an engine; called once, in the engine's own thread. The native engine brings
 * a TensorFlow.js of its own, the others share the one in this package.
 *
 * @throws Error when the backend does not start
 */
export async function loadTfjs({ engine, tensorflowDirectory }: EngineWorkerData): Promise<Tfjs> {
  if (engine === 'TensorFlow') {
    if (tensorflowDirectory === undefined) throw new Error('The folder of the native engine is not known');
    const { tf, gpu } = loadTensorflow(tensorflowDirectory);
    // A thread that ends without having run an operation takes the process with it (segmentation fault in the binding's
    // clean-up, tfjs-node-gpu 4.22 with TensorFlow 2.21).
    tf.tidy(() => tf.add(1, 1).dataSync());
    return { tf, gpu };
  }
  const core = await import('@tensorflow/tfjs-core');
  const layers = await import('@tensorflow/tfjs-layers');
  const converter = await import('@tensorflow/tfjs-converter');
  await (engine === 'Wasm' ? registerWasm() : import('@tensorflow/tfjs-backend-cpu'));
  // Else the backend advises, on every start, to install the engine that somebody decided against.
  core.enableProdMode();
  const backend = engine === 'Wasm' ? 'wasm' : 'cpu';
  if (!(await core.setBackend(backend))) throw new Error(`TensorFlow.js could not start its backend ${backend}`);
  await core.ready();
  return { tf: { ...core, ...layers, ...converter } as TensorFlow, gpu: false };
}

/** The backend looks for its .wasm files beside the current script, which a worker has not: name the folder. */
async function registerWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(dirname(entry), sep));
}
