import { join } from 'node:path';

/** The TensorFlow library that the native engine is built against, and must report when it is loaded. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Version of `@tensorflow/tfjs-node-gpu`, whose binding is compiled. */
export const BINDING_VERSION = '4.22.0';

/** Raised when the way of building changes, so that an engine built the old way is not taken for the new one. */
const RECIPE = 1;

export interface TensorflowEnvironment {
  /** Folder of the built engine itself; an image sets it. */
  readonly MODELSERVICE_TENSORFLOW_DIR?: string | undefined;
  /** Folder of all of ModelService's caches. Default: `$XDG_CACHE_HOME/modelservice`. */
  readonly MODELSERVICE_CACHE_DIR?: string | undefined;
  /** Default: `$HOME/.cache`. */
  readonly XDG_CACHE_HOME?: string | undefined;
}

export interface TensorflowHost {
  readonly env: TensorflowEnvironment;
  readonly home: string;
  readonly platform: string;
  readonly arch: string;
}

/** The one folder in which the native engine is built and looked for. It exists only when the build succeeded. */
export function tensorflowDirectory({ env, home, platform, arch }: TensorflowHost): string {
  if (env.MODELSERVICE_TENSORFLOW_DIR) return env.MODELSERVICE_TENSORFLOW_DIR;
  const cache = env.MODELSERVICE_CACHE_DIR || join(env.XDG_CACHE_HOME || join(home, '.cache'), 'modelservice');
  return join(cache, 'tensorflow', `${TENSORFLOW_VERSION}-tfjs-${BINDING_VERSION}-${platform}-${arch}-${RECIPE}`);
}

/** File that the build writes last: a folder without it holds no engine. */
export function tensorflowMarker(directory: string): string {
  return join(directory, 'built.json');
}

/** The package that `require` loads the engine from. */
export function tensorflowPackage(directory: string): string {
  return join(directory, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
}
