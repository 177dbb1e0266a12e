// A real API server with the real controllers for the integration suites, whatever this machine has: a cluster that
// somebody names, Docker, a control plane's binaries, or a Go toolchain to build them with. Each way stands in
// providers.ts; this file tries one after the other. Nothing here knows of ModelService.
import type { ClusterProvider } from './providers.ts';
import type { ClusterLog, TestCluster } from './test-cluster.ts';

/** No provider gave a cluster. The message is one sentence that says what to install. */
export class NoClusterError extends Error {
  override readonly name = 'NoClusterError';
}

/**
 * The cluster of the first provider that is available here and starts. One that is available and fails says so in one
 * line on `log`, and the next is tried.
 *
 * @throws {NoClusterError} when none is left
 */
export async function startCluster(
  providers: readonly ClusterProvider[],
  signal: AbortSignal,
  log: ClusterLog,
): Promise<TestCluster> {
  const reasons: string[] = [];
  const failures: unknown[] = [];
  for (const provider of providers) {
    const reason = await provider.unavailable(signal);
    signal.throwIfAborted();
    if (reason !== undefined) {
      reasons.push(`${provider.name}: ${reason}`);
      continue;
    }
    try {
      return await provider.start(signal, log);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      log(`No cluster from ${provider.name}: ${message}`);
      reasons.push(`${provider.name}: did not start`);
      failures.push(error);
    }
  }
  throw new NoClusterError(
    `No Kubernetes API server for the integration suites: install Docker or Go 1.26, or name a cluster for tests in MODELSERVICE_TEST_KUBECONFIG (tried ${reasons.join('; ')}).`,
    { cause: new AggregateError(failures) },
  );
}
