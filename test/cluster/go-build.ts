import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './build-lock.ts';
import { buildKey, type GoModule, ownPackages, requiredVersion } from './go-modules.ts';
import type { ClusterLog } from './test-cluster.ts';

const run = promisify(execFile);

export interface GoBuildContext {
  /** See ClusterConfig.cacheDir. */
  readonly cacheDir: string;
  readonly log: ClusterLog;
  readonly signal: AbortSignal;
}

interface Pins {
  /** Where the build is, or would be. */
  readonly folder: string;
  readonly version: string;
}

/** The folder of an earlier build of exactly these pins and sources; undefined when there is none. */
export async function builtBefore(module: GoModule, cacheDir: string): Promise<string | undefined> {
  const { folder } = await pins(module, cacheDir);
  return (await exists(folder)) ? folder : undefined;
}

/**
 * Builds a module's binaries with the Go toolchain, once for each set of pins and sources, and says on `log` how far it is.
 *
 * @returns the folder of the binaries
 * @throws when there is no Go, or with the end of its output when it fails
 */
export async function goBuild(module: GoModule, context: GoBuildContext): Promise<string> {
  const { cacheDir, log, signal } = context;
  const { folder, version } = await pins(module, cacheDir);
  if (await exists(folder)) return folder;
  await goVersion(signal);
  await mkdir(cacheDir, { recursive: true });
  const waiting = (holder: number) => log(`Waiting for process ${holder}, which builds the same binaries.`);
  return await withLock(`${folder}.lock`, signal, waiting, async () => {
    if (await exists(folder)) return folder;
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    await buildAll(module, version, unfinished, context);
    await rename(unfinished, folder);
    return folder;
  });
}

/** Where the binaries of a module are, or would be. */
export async function buildFolder(module: GoModule, cacheDir: string): Promise<string> {
  return (await pins(module, cacheDir)).folder;
}

async function pins(module: GoModule, cacheDir: string): Promise<Pins> {
  const goMod = await readFile(join(module.folder, 'go.mod'), 'utf8');
  const goSum = await readFile(join(module.folder, 'go.sum'), 'utf8');
  const sources = await Promise.all(ownPackages(module, goMod).map((path) => sourcesIn(join(module.folder, path))));
  const key = buildKey(goMod, goSum, `${process.platform}-${process.arch}`, sources.flat());
  const name = module.part === undefined ? key : `${key}-${module.part}`;
  return { folder: join(cacheDir, name), version: requiredVersion(goMod, module.versionFrom) };
}

async function sourcesIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.go')).sort();
  return await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

async function buildAll(module: GoModule, version: string, into: string, context: GoBuildContext): Promise<void> {
  const { log, signal } = context;
  const begin = performance.now();
  const steps = module.binaries.length + 1;
  const names = module.binaries.map(({ name }) => name).join(', ');
  log(
    `Building ${names} ${version} with Go, once (about ${module.minutes} minutes on 2 cores), kept in ${context.cacheDir}.`,
  );
  const step = async (number: number, what: string, args: readonly string[]): Promise<void> => {
    log(`  ${number}/${steps} ${what} (${elapsed(begin)} so far)`);
    await go(module.folder, args, signal);
  };
  await step(1, 'downloading modules', ['mod', 'download']);
  const ldflags = ['-s', '-w', ...module.stamps(version).map((stamp) => `-X ${stamp}`)].join(' ');
  for (const [index, { name, package: source }] of module.binaries.entries()) {
    const args = ['build', '-trimpath', '-ldflags', ldflags, '-o', join(into, name), source];
    await step(index + 2, `building ${name}`, args);
  }
  log(`  built in ${elapsed(begin)}`);
}

async function goVersion(signal: AbortSignal): Promise<void> {
  try {
    await run('go', ['version'], { signal });
  } catch (error) {
    throw new Error('there is no Go toolchain on PATH', { cause: error });
  }
}

async function go(folder: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
  try {
    await run('go', args, { cwd: folder, env, signal, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? '';
    const end = output.trimEnd().split('\n').slice(-5).join('\n    ');
    throw new Error(`go ${args[0]} failed in ${folder}:\n    ${end}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function elapsed(begin: number): string {
  const seconds = Math.round((performance.now() - begin) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
