import { BINDING_VERSION, TENSORFLOW_VERSION } from '../src/engine/tensorflow-location.ts';

/** A wheel of TensorFlow on PyPI. Only its C headers and two libraries are used, so the Python it is for is no matter. */
export interface Wheel {
  readonly requirement: string;
  readonly platformTag: string;
  readonly sha256: string;
}

const WHEELS: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    requirement: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
    platformTag: 'manylinux_2_27_x86_64',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  },
};

/** The oldest glibc that the wheel runs with (its tag says manylinux_2_27). */
const OLDEST_GLIBC = [2, 27] as const;

/** What the binding includes and links to, as paths inside of the wheel; all else of its 1.2 GB stays packed. */
export const WHEEL_MEMBERS = {
  libraries: ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'],
  headers: [
    'tensorflow/include/tensorflow/c/',
    'tensorflow/include/tensorflow/core/platform/',
    'tensorflow/include/tsl/platform/',
    'tensorflow/include/xla/tsl/c/',
  ],
} as const;

export class RecipeError extends Error {
  override readonly name = 'RecipeError';
}

/**
 * The wheel for a platform.
 *
 * @param glibc version of the C library as Node reports it; undefined where it is another one, such as musl
 * @throws RecipeError naming what to use instead, where there is none
 */
export function wheelFor(platform: string, arch: string, glibc: string | undefined): Wheel {
  const wheel = WHEELS[`${platform}-${arch}`];
  if (wheel === undefined) {
    throw new RecipeError(
      `The native engine is built on ${Object.keys(WHEELS).join(', ')} only, this is ${platform}-${arch}: use "engine: Wasm", which runs everywhere`,
    );
  }
  if (glibc === undefined || !isAtLeast(glibc, OLDEST_GLIBC)) {
    throw new RecipeError(
      `The native engine needs glibc ${OLDEST_GLIBC.join('.')} or newer, this system has ${glibc ?? 'another C library'}: use a distribution such as Debian 12, or "engine: Wasm", which runs everywhere`,
    );
  }
  return wheel;
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}

/** Arguments of `python3`: fetches the wheel, whatever Python this machine has, and nothing that it depends on. */
export function downloadArguments(wheel: Wheel, target: string): string[] {
  return [
    ...['-m', 'pip', 'download', wheel.requirement, '--no-deps', '--only-binary', ':all:', '--dest', target],
    ...['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311', '--platform', wheel.platformTag],
    '--disable-pip-version-check',
  ];
}

/** Where things lie while the engine is built; `package` is the folder of tfjs-node-gpu. */
export interface CompilePaths {
  readonly package: string;
  readonly tensorflowHeaders: string;
  readonly nodeHeaders: string;
}

/** File of the compiled binding within its package, where tfjs-node looks for it (Node-API 8). */
export const BINDING_FILE = 'lib/napi-v8/tfjs_binding.node';

/** Folder of TensorFlow's libraries within the package, as the binding's own build has it. */
export const LIBRARY_FOLDER = 'deps/lib';

/** Arguments of the C++ compiler, as in the package's binding.gyp, but against the libraries of the wheel. */
export function compileArguments(paths: CompilePaths): string[] {
  return [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    ...['-I', paths.tensorflowHeaders, '-I', paths.nodeHeaders],
    ...[`${paths.package}/binding/tfjs_backend.cc`, `${paths.package}/binding/tfjs_binding.cc`],
    ...['-o', `${paths.package}/${BINDING_FILE}`, '-L', `${paths.package}/${LIBRARY_FOLDER}`],
    ...WHEEL_MEMBERS.libraries.map((path) => `-l:${path.slice(path.lastIndexOf('/') + 1)}`),
    // Relative to the binding, so that the folder can be moved into an image.
    `-Wl,-rpath,$ORIGIN/../../${LIBRARY_FOLDER}`,
  ];
}

export const SUMMARY = `TensorFlow ${TENSORFLOW_VERSION} with @tensorflow/tfjs-node-gpu ${BINDING_VERSION}`;
