import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAggregatedProcess } from './aggregated-process.ts';
import { testCluster } from './test-run.ts';

export interface AdapterOptions {
  /** Where its Service is. */
  readonly namespace: string;
  readonly prometheusUrl: string;
  /** Its configuration file. */
  readonly config: string;
}

/**
 * Runs prometheus-adapter behind the API server; it acts as the cluster's administrator. Resolves when it serves a metric.
 */
export function startPrometheusAdapter({ namespace, prometheusUrl, config }: AdapterOptions): Promise<AsyncDisposable> {
  return startAggregatedProcess({
    tool: 'prometheus-adapter',
    namespace,
    group: 'custom.metrics.k8s.io',
    version: 'v1beta1',
    async args(folder) {
      const configFile = join(folder, 'config.yaml');
      await writeFile(configFile, config);
      return [
        `--config=${configFile}`,
        `--prometheus-url=${prometheusUrl}`,
        '--metrics-relist-interval=1s',
        `--lister-kubeconfig=${testCluster().kubeconfigPath}`,
      ];
    },
  });
}
