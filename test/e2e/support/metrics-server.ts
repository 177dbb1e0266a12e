import { startAggregatedProcess } from '../../integration/support/aggregated-process.ts';
import { testCluster } from '../../integration/support/test-run.ts';

/** The real metrics-server, which asks the node's kubelet as often as it can; it acts as the cluster's administrator. */
export function startMetricsServer(namespace: string): Promise<AsyncDisposable> {
  return startAggregatedProcess({
    tool: 'metrics-server',
    namespace,
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    args: () => [
      `--kubeconfig=${testCluster().kubeconfigPath}`,
      '--metric-resolution=10s',
      '--kubelet-request-timeout=5s',
      '--kubelet-preferred-address-types=InternalIP',
      '--kubelet-use-node-status-port',
      // The node's certificate is its own.
      '--kubelet-insecure-tls',
    ],
  });
}
