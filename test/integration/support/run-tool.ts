import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { type ToolName, tool } from '../../cluster/tool.ts';
import { testRun } from './test-run.ts';

export interface ToolOptions {
  /** Goes to stdin: `kubectl(['apply', '-f', '-'], { input: yaml })`. */
  readonly input?: string | undefined;
  /** Default: the administrator of the test cluster. */
  readonly kubeconfig?: string | undefined;
}

/** A tool ended with an error; the message holds what it wrote to stderr. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(command: string, exitCode: number | null, stderr: string) {
    super(`${command} ended with exit status ${exitCode}: ${stderr.trim()}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a real command-line tool against the test cluster, as a person would.
 *
 * @returns its stdout
 * @throws {ToolError} when its exit status is not 0
 */
export async function runTool(name: ToolName, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const { cluster, guard } = testRun();
  const path = await toolPath(name);
  const child = spawn(path, args, {
    env: {
      ...process.env,
      KUBECONFIG: options.kubeconfig ?? cluster.kubeconfigPath,
      // A discovery cache of this run alone: another cluster at the same port has other types. Nor is a person's own
      // configuration of these tools ours.
      KUBECACHEDIR: guard.folder,
      HELM_CACHE_HOME: guard.folder,
      HELM_CONFIG_HOME: guard.folder,
      HELM_DATA_HOME: guard.folder,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { promise: exited, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  // It may end before it has read all of its input; its exit status says why.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (exitCode !== 0) throw new ToolError(`${name} ${args.join(' ')}`, exitCode, stderr);
  return stdout;
}

/** Where the tool is, built first where it has to be. */
export function toolPath(name: ToolName): Promise<string> {
  return tool(name, testRun().config, { log: console.log, signal: new AbortController().signal });
}
