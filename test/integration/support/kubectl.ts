import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { tool } from '../../cluster/tool.ts';
import { testRun } from './test-run.ts';

export interface KubectlOptions {
  /** Goes to stdin: `kubectl(['apply', '-f', '-'], { input: yaml })`. */
  readonly input?: string | undefined;
  /** Default: the administrator of the test cluster. */
  readonly kubeconfig?: string | undefined;
}

/** kubectl ended with an error; the message holds what it wrote to stderr. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError';
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`kubectl ${args.join(' ')} ended with exit status ${exitCode}: ${stderr.trim()}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs the real kubectl against the test cluster, as a person would.
 *
 * @returns its stdout
 * @throws {KubectlError} when its exit status is not 0
 */
export async function kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
  const { cluster, config, guard } = testRun();
  const path = await tool('kubectl', config, { log: console.log, signal: new AbortController().signal });
  const child = spawn(path, args, {
    // A discovery cache of this run alone: another cluster at the same port has other types.
    env: { ...process.env, KUBECONFIG: options.kubeconfig ?? cluster.kubeconfigPath, KUBECACHEDIR: guard.folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { promise: exited, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  // It may end before it has read all of its input; its exit status says why.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (exitCode !== 0) throw new KubectlError(args, exitCode, stderr);
  return stdout;
}
