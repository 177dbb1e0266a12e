import { NoClusterError } from '../../cluster/start-cluster.ts';
import { isCI } from './lacking.ts';
import { awaitNamespacesGone } from './namespaces.ts';
import { beginTestRun, endTestRun, type StartCluster, type TestRun, testRun } from './test-run.ts';

/** What a global fixture exports for mocha. */
export interface ClusterFixture {
  readonly mochaGlobalTeardown: () => Promise<void>;
  readonly mochaHooks: { beforeAll(this: Mocha.Context): Promise<void> };
}

export interface ClusterFixtureOptions {
  /** As a person is told: `Integration suites`. */
  readonly suites: string;
  /** Default: whichever cluster without a node this machine has a way to. */
  readonly start?: StartCluster | undefined;
  /** Called once the cluster runs. */
  readonly prepare?: ((run: TestRun) => Promise<void>) | undefined;
}

/**
 * One cluster for each process of a mocha run, begun with its first suite. A worker of `--parallel` is not told that it
 * has run its last file: there the guard of the cluster's processes ends them when the worker is gone.
 */
export function clusterFixture({ suites, start, prepare }: ClusterFixtureOptions): ClusterFixture {
  let begun: Promise<NoClusterError | undefined> | undefined;
  return {
    mochaHooks: {
      /** On a developer's machine without a cluster the suites are reported as skipped, never as passed. */
      async beforeAll() {
        // To build a cluster's binaries takes minutes.
        this.timeout(0);
        begun ??= begin();
        if ((await begun) !== undefined) this.skip();
      },
    },
    async mochaGlobalTeardown() {
      if (begun === undefined || (await begun) !== undefined) return;
      if (!testRun().cluster.ephemeral) await awaitNamespacesGone();
      await endTestRun();
    },
  };

  async function begin(): Promise<NoClusterError | undefined> {
    try {
      const run = await beginTestRun(new AbortController().signal, (line) => console.log(line), start);
      console.log(`${suites} use ${run.cluster.description}.`);
      await prepare?.(run);
      return undefined;
    } catch (error) {
      if (error instanceof NoClusterError && !isCI()) {
        console.log(error.message);
        return error;
      }
      await endTestRun();
      throw error;
    }
  }
}
