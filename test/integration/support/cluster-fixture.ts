import { NoClusterError } from '../../cluster/start-cluster.ts';
import { isCI } from './lacking.ts';
import { awaitNamespacesGone } from './namespaces.ts';
import { beginTestRun, endTestRun, type StartCluster, type TestRun, testRun } from './test-run.ts';

/** What a global fixture exports for mocha. */
export interface ClusterFixture {
  readonly mochaGlobalSetup: () => Promise<void>;
  readonly mochaGlobalTeardown: () => Promise<void>;
  readonly mochaHooks: { beforeAll(this: Mocha.Context): void };
}

export interface ClusterFixtureOptions {
  /** As a person is told: `Integration suites`. */
  readonly suites: string;
  /** Default: whichever cluster without a node this machine has a way to. */
  readonly start?: StartCluster | undefined;
  /** Called once the cluster runs. */
  readonly prepare?: ((run: TestRun) => Promise<void>) | undefined;
}

/** One cluster for the whole of a mocha run. */
export function clusterFixture({ suites, start, prepare }: ClusterFixtureOptions): ClusterFixture {
  let noCluster: NoClusterError | undefined;
  return {
    async mochaGlobalSetup() {
      try {
        const run = await beginTestRun(new AbortController().signal, (line) => console.log(line), start);
        console.log(`${suites} use ${run.cluster.description}.`);
        await prepare?.(run);
      } catch (error) {
        if (!(error instanceof NoClusterError) || isCI()) {
          await endTestRun();
          throw error;
        }
        noCluster = error;
        console.log(error.message);
      }
    },
    async mochaGlobalTeardown() {
      if (noCluster !== undefined) return;
      if (!testRun().cluster.ephemeral) await awaitNamespacesGone();
      await endTestRun();
    },
    mochaHooks: {
      /** On a developer's machine without a cluster the suites are reported as skipped, never as passed. */
      beforeAll() {
        if (noCluster !== undefined) this.skip();
      },
    },
  };
}
