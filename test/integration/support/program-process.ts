import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { freePort } from '../../cluster/free-port.ts';
import { eventually } from './eventually.ts';
import { testRun } from './test-run.ts';

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
/** How much of its log is shown when it does not start. */
const LOG_LINES = 20;

export interface ProgramOptions {
  /** Its launcher in `operator/bin`, without `.js`. */
  readonly program: 'operator' | 'metrics-api' | 'gateway';
  /** What is run in place of that launcher. */
  readonly main?: URL | undefined;
  readonly kubeconfig: string;
  readonly args: readonly string[];
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A program of the operator, as a process of its own. */
export interface ProgramProcess extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, with /healthz and /readyz. */
  readonly healthUrl: string;
  /** `http://127.0.0.1:PORT`, with /metrics. */
  readonly metricsUrl: string;
  /** What it wrote so far. */
  logs(): Promise<string>;
  /** Resolves when it has ended, with `exit status 1`, `signal SIGKILL` or the like. */
  readonly exited: Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM; resolves with how it ended, `exit status 0` when all is well. */
  stop(): Promise<string>;
  /** SIGKILL: a crash. */
  crash(): Promise<void>;
}

/** Runs a program and waits until it says that it is ready. */
export async function startProgram(options: ProgramOptions): Promise<ProgramProcess> {
  const { program, kubeconfig, args, env } = options;
  const { guard } = testRun();
  const [healthPort, metricsPort] = await Promise.all([freePort(), freePort()]);
  const logFile = join(guard.folder, `${program}-${randomBytes(4).toString('hex')}.log`);
  const launcher = fileURLToPath(options.main ?? new URL(`../../../operator/bin/${program}.js`, import.meta.url));
  const child = guard.run({
    command: process.execPath,
    args: [launcher, `--health-port=${healthPort}`, `--metrics-port=${metricsPort}`, ...args],
    env: { ...process.env, KUBECONFIG: kubeconfig, ...env },
    logFile,
  });
  let ended: string | undefined;
  const exited = child.exited.then((reason) => {
    ended = reason;
    return reason;
  });
  const logs = () => readFile(logFile, 'utf8').catch(() => '');
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  try {
    await eventually(() => (ended === undefined ? readiness(healthUrl) : ended), {
      because: `the ${program} is ready`,
      until: (state) => ended !== undefined || state === 'ok',
      deadlineMs: START_DEADLINE_MS,
    });
    if (ended !== undefined) throw new Error(`The ${program} ended before it was ready, with ${ended}`);
  } catch (error) {
    child.kill('SIGKILL');
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${what}; the end of its log:\n${lastLines(await logs(), LOG_LINES)}`, { cause: error });
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    const reason = await exited;
    clearTimeout(kill);
    return reason;
  };
  return {
    healthUrl,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    logs,
    exited,
    kill: child.kill,
    stop,
    async crash() {
      child.kill('SIGKILL');
      await exited;
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** `ok`, or what /readyz says instead. */
async function readiness(healthUrl: string): Promise<string> {
  const { statusCode, body } = await request(`${healthUrl}/readyz`);
  const text = await body.text();
  return statusCode === 200 ? 'ok' : `${statusCode} ${text}`;
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
