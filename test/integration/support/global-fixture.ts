// What mocha loads before the integration suites: one real API server for the whole run, with the ModelService type
// installed. Suites ask for it in test-run.ts, for a namespace in namespaces.ts, for the operator in operator-process.ts.
import { NoClusterError } from '../../cluster/start-cluster.ts';
import { installCustomResource } from './custom-resources.ts';
import { awaitNamespacesGone } from './namespaces.ts';
import { beginTestRun, endTestRun, testRun } from './test-run.ts';

let noCluster: NoClusterError | undefined;

export async function mochaGlobalSetup(): Promise<void> {
  try {
    const { cluster, api } = await beginTestRun(new AbortController().signal, (line) => console.log(line));
    console.log(`Integration suites use ${cluster.description}.`);
    await installCustomResource(api);
  } catch (error) {
    if (!(error instanceof NoClusterError) || isCI()) {
      await endTestRun();
      throw error;
    }
    noCluster = error;
    console.log(error.message);
  }
}

export async function mochaGlobalTeardown(): Promise<void> {
  if (noCluster !== undefined) return;
  if (!testRun().cluster.ephemeral) await awaitNamespacesGone();
  await endTestRun();
}

export const mochaHooks = {
  /** On a developer's machine without a cluster the suites are reported as skipped, never as passed. */
  beforeAll(this: Mocha.Context): void {
    if (noCluster !== undefined) this.skip();
  },
};

function isCI(): boolean {
  return !['', 'false', '0'].includes(process.env.CI ?? '');
}
