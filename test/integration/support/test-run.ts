import { randomBytes } from 'node:crypto';
import { type ClusterConfig, clusterConfig } from '../../cluster/cluster-config.ts';
import { ProcessGuard } from '../../cluster/process-guard.ts';
import { clusterProviders } from '../../cluster/providers.ts';
import { NoClusterError, startCluster } from '../../cluster/start-cluster.ts';
import type { ClusterLog, TestCluster } from '../../cluster/test-cluster.ts';
import { createTestApi, type TestApi } from './test-api.ts';

/** What all suites of one mocha run share. */
export interface TestRun {
  /** Differs from run to run, so that runs can share a cluster: a label's value. */
  readonly id: string;
  readonly cluster: TestCluster;
  readonly api: TestApi;
  /** Owns the processes and files of the suites. */
  readonly guard: ProcessGuard;
  readonly config: ClusterConfig;
}

// Mocha gives global fixtures and suites no other place to meet.
let current: TestRun | undefined;

/** @throws {NoClusterError} when this machine has no way to a cluster */
export type StartCluster = (config: ClusterConfig, signal: AbortSignal, log: ClusterLog) => Promise<TestCluster>;

const startAny: StartCluster = (config, signal, log) => startCluster(clusterProviders(config), signal, log);

export async function beginTestRun(signal: AbortSignal, log: ClusterLog, start = startAny): Promise<TestRun> {
  const config = clusterConfig(process.env);
  const cluster = await start(config, signal, log);
  const guard = await ProcessGuard.start();
  current = { id: randomBytes(4).toString('hex'), cluster, api: createTestApi(cluster.client), guard, config };
  return current;
}

export function testRun(): TestRun {
  if (current === undefined) throw new NoClusterError('No cluster is running: the global fixture starts it.');
  return current;
}

/** The cluster that the global fixture started. */
export function testCluster(): TestCluster {
  return testRun().cluster;
}

/** Calls on its API server, as administrator. */
export function testApi(): TestApi {
  return testRun().api;
}

/**
 * A run of its own inside of another, for a suite that hurts its cluster: everything that asks for the run gets this one.
 *
 * @returns ends it; from then on the former one is there again
 */
export async function beginInnerTestRun(signal: AbortSignal, log: ClusterLog): Promise<() => Promise<void>> {
  const outer = current;
  await beginTestRun(signal, log);
  return async () => {
    await endTestRun();
    current = outer;
  };
}

export async function endTestRun(): Promise<void> {
  const run = current;
  current = undefined;
  await run?.guard.stop();
  await run?.cluster.stop();
}
