import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { tensorflowMarker, tensorflowPackage } from '../src/engine/tensorflow-location.ts';
import {
  BINDING_FILE,
  compileArguments,
  downloadArguments,
  LIBRARY_FOLDER,
  RecipeError,
  SUMMARY,
  WHEEL_MEMBERS,
  type Wheel,
  wheelFor,
} from './recipe.ts';
import { runCommand } from './run-command.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NEEDS_PYTHON =
  'building the native engine needs python3 with pip, to download the TensorFlow wheel (Debian, Ubuntu: apt-get install python3-pip)';
const NEEDS_COMPILER = 'building the native engine needs a C++ compiler (Debian, Ubuntu: apt-get install g++)';

export interface BuildOptions {
  /** Where the engine shall stand; it appears there only when it works. */
  readonly directory: string;
  readonly compiler: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Builds the engine beside its place and moves it there at the end, so that a half-built one is never found. */
export async function buildEngine({ directory, compiler, say, signal }: BuildOptions): Promise<void> {
  const started = performance.now();
  const wheel = wheelFor(process.platform, process.arch, glibcVersion());
  await runCommand('python3', ['-m', 'pip', '--version'], { signal, fix: NEEDS_PYTHON });
  await runCommand(compiler, ['--version'], { signal, fix: NEEDS_COMPILER });

  say(`Building the native engine: ${SUMMARY}`);
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(`${directory}.building-`);
  const step = stepper(4, say);
  try {
    const engine = join(work, 'engine');
    await step('Installing the npm packages', () => installPackages(engine, signal));
    await step('Downloading and unpacking the TensorFlow wheel (274 MB)', () =>
      unpackWheel(wheel, work, engine, signal),
    );
    await step('Compiling the binding', () => compileBinding(compiler, work, engine, signal));
    const report = await step('Running a model on it', () => verify(engine, signal));
    await writeFile(tensorflowMarker(engine), report);
    await moveInto(engine, directory);
  } finally {
    // npm's own children may outlive it for a moment.
    await rm(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  say(`Built in ${seconds(started)}, ${Math.round((await folderBytes(directory)) / 2 ** 20)} MiB: ${directory}`);
}

async function installPackages(engine: string, signal: AbortSignal): Promise<void> {
  await mkdir(engine);
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(HERE, name), join(engine, name));
  // Its install script would download TensorFlow 2.9.1.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
  await runCommand('npm', args, { cwd: engine, signal, fix: 'the packages come from the npm registry' });
}

async function unpackWheel(wheel: Wheel, work: string, engine: string, signal: AbortSignal): Promise<void> {
  const show = process.stdout.isTTY;
  const downloads = join(work, 'wheel');
  await runCommand('python3', downloadArguments(wheel, downloads), { signal, fix: 'the wheel comes from PyPI', show });
  const [name] = await readdir(downloads);
  if (name === undefined) throw new RecipeError(`pip downloaded no wheel for ${wheel.requirement}`);
  const file = join(downloads, name);
  const sha256 = await hashOf(file, signal);
  if (sha256 !== wheel.sha256) {
    throw new RecipeError(
      `The wheel ${name} has the sha256 ${sha256}, expected ${wheel.sha256}: the package index that pip uses serves another file; clear pip's cache (python3 -m pip cache purge) or use another index`,
    );
  }
  const members = [...WHEEL_MEMBERS.libraries, ...WHEEL_MEMBERS.headers];
  const program =
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); z.extractall(sys.argv[2], [n for n in z.namelist() if n.startswith(tuple(sys.argv[3:]))])';
  await runCommand('python3', ['-c', program, file, work, ...members], {
    signal,
    fix: 'the wheel could not be unpacked',
  });
  const libraries = join(tensorflowPackage(engine), LIBRARY_FOLDER);
  await mkdir(libraries, { recursive: true });
  for (const path of WHEEL_MEMBERS.libraries) {
    await rename(join(work, path), join(libraries, path.slice(path.lastIndexOf('/') + 1)));
  }
}

async function compileBinding(compiler: string, work: string, engine: string, signal: AbortSignal): Promise<void> {
  const target = tensorflowPackage(engine);
  await mkdir(dirname(join(target, BINDING_FILE)), { recursive: true });
  const args = compileArguments({
    package: target,
    tensorflowHeaders: join(work, 'tensorflow', 'include'),
    nodeHeaders: join(engine, 'node_modules', 'node-api-headers', 'include'),
  });
  await runCommand(compiler, args, { signal, fix: 'the binding could not be compiled' });
}

function verify(engine: string, signal: AbortSignal): Promise<string> {
  return runCommand(process.execPath, [join(HERE, 'verify.ts'), engine], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    signal,
    fix: 'the engine was built but does not work on this machine; "engine: Wasm" runs everywhere',
  });
}

/** Another build may have finished in the meantime: its engine is as good, and may be in use. */
async function moveInto(engine: string, directory: string): Promise<void> {
  try {
    await rename(engine, directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function stepper(total: number, say: (line: string) => void) {
  let number = 0;
  return async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    number += 1;
    say(`  ${number}/${total} ${title} …`);
    const started = performance.now();
    const result = await work();
    say(`      done in ${seconds(started)}`);
    return result;
  };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime;
}
