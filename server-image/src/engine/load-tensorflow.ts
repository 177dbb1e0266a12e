import { createRequire } from 'node:module';
import util from 'node:util';
import { TENSORFLOW_VERSION, tensorflowPackage } from './tensorflow-location.ts';

/** What `@tensorflow/tfjs-node-gpu` exports, as far as it is used: tfjs itself, with the native backend set. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core') &
  typeof import('@tensorflow/tfjs-layers') &
  typeof import('@tensorflow/tfjs-converter');

/** What the native backend has beyond tfjs-core's own interface. */
interface NativeBackend {
  readonly binding: { readonly TF_Version: string };
  readonly isUsingGpuDevice: boolean;
}

export interface LoadedTensorFlow {
  readonly tf: TensorFlow;
  readonly version: string;
  /** Whether TensorFlow found a GPU that it can use. */
  readonly gpu: boolean;
}

/**
 * Loads the native engine from the folder that `npm run build:tensorflow` made. TensorFlow reads its `TF_*` variables
 * now and never again: they must be in the environment of the process (not of a worker) before this call.
 *
 * @throws Error when the folder holds no engine, or one of another TensorFlow than {@link TENSORFLOW_VERSION}
 */
export function loadTensorflow(directory: string): LoadedTensorFlow {
  restoreRemovedUtilities();
  const require = createRequire(import.meta.url);
  const tf = require(tensorflowPackage(directory)) as TensorFlow;
  const backend = tf.backend() as unknown as NativeBackend;
  const version = backend.binding.TF_Version;
  if (version !== TENSORFLOW_VERSION) {
    throw new Error(
      `The native engine in ${directory} reports TensorFlow ${version}, expected ${TENSORFLOW_VERSION}: remove the folder and run "npm run build:tensorflow"`,
    );
  }
  return { tf, version, gpu: backend.isUsingGpuDevice };
}

/** tfjs-node 4.22 calls two functions that Node 23 removed (https://github.com/tensorflow/tfjs/issues/8609). */
function restoreRemovedUtilities(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}
