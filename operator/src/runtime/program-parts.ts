import type { Logger } from 'pino';
import { KubeClient } from '../kube/kube-client.ts';
import { loadAccess } from '../kube/load-access.ts';
import { Manager } from './manager.ts';
import { OperatorMetrics } from './metrics.ts';
import type { CommonConfig } from './settings.ts';

/** What each program of the operator begins with. */
export interface ProgramParts {
  /** Of KUBECONFIG, or the pod's own service account. Close it when the manager has stopped. */
  readonly api: KubeClient;
  readonly manager: Manager;
  readonly metrics: OperatorMetrics;
}

/** @param userAgent as which the API server's audit log knows the program */
export async function programParts(config: CommonConfig, log: Logger, userAgent: string): Promise<ProgramParts> {
  const access = await loadAccess(process.env);
  const metrics = new OperatorMetrics();
  const api = new KubeClient({ access, userAgent, onResponse: metrics.countRequest });
  const manager = new Manager({
    api,
    log,
    metrics,
    namespaces: config.watchNamespaces,
    health: { host: config.bindAddress, port: config.healthPort },
    metricsAt: { host: config.bindAddress, port: config.metricsPort },
    silenceTimeoutMs: config.watchSilenceTimeoutMs,
  });
  return { api, manager, metrics };
}
