import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { containerdSocket } from './configurations.ts';
import type { Sandbox } from './sandbox.ts';

const run = promisify(execFile);

/** Why Docker cannot give these images, in a few words that say what to do; undefined when it has them all. */
export async function missingImages(names: readonly string[]): Promise<string | undefined> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}']);
  } catch {
    return 'its images come from a Docker engine, and none answers: start Docker, and name it in DOCKER_HOST if it is not the default';
  }
  const asked = await Promise.allSettled(names.map((name) => run('docker', ['image', 'inspect', name])));
  const missing = names.filter((_, index) => asked[index]?.status === 'rejected');
  return missing.length === 0 ? undefined : `Docker has no image ${missing.join(', no ')}: run npm run image`;
}

/** Makes an image of one static program, without anything to pull. */
export async function makePauseImage(
  name: string,
  folder: string,
  program: string,
  signal: AbortSignal,
): Promise<void> {
  const archive = { command: 'tar', args: ['--create', '--directory', folder, program] };
  const entrypoint = `ENTRYPOINT ["/${program}"]`;
  await pipe(archive, { command: 'docker', args: ['import', '--change', entrypoint, '-', name] }, signal);
}

/** Copies images from this machine's Docker engine into a node's containerd, without a registry. */
export async function loadImages(
  names: readonly string[],
  sandbox: Sandbox,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const load = sandbox.enter('ctr', [
    '--address',
    containerdSocket(folder),
    '--namespace',
    'k8s.io',
    'images',
    'import',
    '-',
  ]);
  await pipe({ command: 'docker', args: ['save', ...names] }, load, signal);
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

async function pipe(from: Command, to: Command, signal: AbortSignal): Promise<void> {
  const source = spawn(from.command, from.args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const target = spawn(to.command, to.args, { stdio: ['pipe', 'ignore', 'pipe'], signal });
  const ends = Promise.all([ended(source, from), ended(target, to)]);
  // The exit status of either says more than the broken pipe between them.
  const [, moved] = await Promise.allSettled([ends, pipeline(source.stdout, target.stdin)]);
  await ends;
  if (moved.status === 'rejected') throw moved.reason;
}

async function ended(child: ReturnType<typeof spawn>, { command, args }: Command): Promise<void> {
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with exit status ${code}: ${stderr.trim()}`);
}
