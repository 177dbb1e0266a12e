import { after, afterEach, before } from 'mocha';
import { freePort } from '../../cluster/free-port.ts';
import { awaitMetricsServed, installMetricsApi, startMetricsApiProcess } from './metrics-api-parts.ts';
import { lastLines, type ProgramProcess } from './program-process.ts';
import type { AnyObject } from './test-api.ts';
import { testCluster } from './test-run.ts';

const LOG_LINES = 60;

export interface SuiteMetricsApi extends AsyncDisposable {
  readonly process: ProgramProcess;
  /** Name of its Service, its Secret and its account, in the suite's namespace. */
  readonly name: string;
  /** Port of the API itself, on this machine. */
  readonly apiPort: number;
}

/**
 * Runs the metrics API behind the real aggregation layer from a suite's `before` to its `after`, acting as the account
 * that the chart makes. The Service's name leads the API server to this machine.
 *
 * @param args beside the names; asked for when the hook runs where they come from another hook
 */
export function useMetricsApi(
  namespace: () => string,
  args: readonly string[] | (() => readonly string[]) = [],
): () => SuiteMetricsApi {
  let running: SuiteMetricsApi | undefined;
  before('start the metrics API', async function () {
    if (testCluster().hostAddress === undefined) {
      console.log('The API server of this cluster cannot call this machine: what needs that is skipped.');
      this.skip();
    }
    running = await startMetricsApi(namespace(), typeof args === 'function' ? args() : args);
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || running === undefined) return;
    console.log(`The end of the metrics API's log:\n${lastLines(await running.process.logs(), LOG_LINES)}`);
  });
  after('stop the metrics API', async () => {
    await running?.[Symbol.asyncDispose]();
  });
  return () => {
    if (running === undefined) throw new Error('The metrics API runs from the suite\'s "before" hook on.');
    return running;
  };
}

/** Resolves once the API server finds it available. */
export async function startMetricsApi(namespace: string, args: readonly string[] = []): Promise<SuiteMetricsApi> {
  const apiPort = await freePort();
  const installed = await installMetricsApi(namespace, apiPort);
  let process: ProgramProcess | undefined;
  try {
    process = await startMetricsApiProcess(installed, apiPort, args);
    await awaitMetricsServed();
  } catch (error) {
    await installed[Symbol.asyncDispose]();
    await process?.stop();
    throw error;
  }
  const running = process;
  return {
    process: running,
    name: installed.name,
    apiPort,
    async [Symbol.asyncDispose]() {
      await installed[Symbol.asyncDispose]();
      await running.stop();
    },
  };
}

export function isAvailable({ status }: AnyObject): boolean {
  const conditions = (status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[];
  return conditions.some(({ type, status: value }) => type === 'Available' && value === 'True');
}
