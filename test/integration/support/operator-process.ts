import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { freePort } from '../../cluster/free-port.ts';
import { eventually } from './eventually.ts';
import { createOperatorAccount } from './operator-account.ts';
import { testRun } from './test-run.ts';

const OPERATOR = fileURLToPath(new URL('../../../operator/bin/operator.js', import.meta.url));
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
/** How much of its log is shown when it does not start. */
const LOG_LINES = 20;

export interface OperatorOptions {
  /** Whom it acts as. Default: the account that the chart makes for these namespaces. */
  readonly kubeconfig?: string | undefined;
  /** The namespaces that it looks after. A suite names its own, so that no other suite's operator interferes. */
  readonly namespaces: readonly string[];
  readonly args?: readonly string[] | undefined;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface OperatorProcess extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, with /healthz and /readyz. */
  readonly healthUrl: string;
  /** `http://127.0.0.1:PORT`, with /metrics. */
  readonly metricsUrl: string;
  /** What it wrote so far. */
  logs(): Promise<string>;
  /** SIGTERM; resolves with how it ended, `exit status 0` when all is well. */
  stop(): Promise<string>;
  /** SIGKILL: a crash. */
  crash(): Promise<void>;
}

/** Runs `operator/bin/operator.js` as a process of its own and waits until it says that it is ready. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const { guard } = testRun();
  const kubeconfig = options.kubeconfig ?? (await chartKubeconfig(options.namespaces));
  const [healthPort, metricsPort] = await Promise.all([freePort(), freePort()]);
  const logFile = join(guard.folder, `operator-${randomBytes(4).toString('hex')}.log`);
  const child = guard.run({
    command: process.execPath,
    args: [
      OPERATOR,
      `--watch-namespaces=${options.namespaces.join(',')}`,
      `--health-port=${healthPort}`,
      `--metrics-port=${metricsPort}`,
      '--server-image-wasm=modelservice-server:test-wasm',
      '--server-image-tensorflow=modelservice-server:test-tensorflow',
      ...(options.args ?? []),
    ],
    env: { ...process.env, KUBECONFIG: kubeconfig, ...options.env },
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
      because: 'the operator is ready',
      until: (state) => ended !== undefined || state === 'ok',
      deadlineMs: START_DEADLINE_MS,
    });
    if (ended !== undefined) throw new Error(`The operator ended before it was ready, with ${ended}`);
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

async function chartKubeconfig([namespace, ...further]: readonly string[]): Promise<string> {
  if (namespace === undefined) throw new Error('An operator for all namespaces needs a kubeconfig of its own.');
  return await testRun().cluster.kubeconfigFor(await createOperatorAccount(namespace, ...further));
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
