import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { KubeClient } from '../kube/kube-client.ts';
import { loadAccess } from '../kube/load-access.ts';
import { systemClock } from './clock.ts';
import { LeaderElector } from './leader-election.ts';
import type { LeaderElectionConfig } from './leader-election-settings.ts';
import { Manager } from './manager.ts';
import { OperatorMetrics } from './metrics.ts';
import type { CommonConfig } from './settings.ts';
import { WriteFence } from './write-fence.ts';

/** What each program of the operator begins with. */
export interface ProgramParts {
  /** Of KUBECONFIG, or the pod's own service account. Where a leader is elected, it writes for the leader alone. */
  readonly api: KubeClient;
  readonly manager: Manager;
  readonly metrics: OperatorMetrics;
  /** Cuts every connection; call it when the manager has stopped. */
  close(): Promise<void>;
}

/**
 * @param userAgent as which the API server's audit log knows the program
 * @param election undefined: every process works
 */
export async function programParts(
  config: CommonConfig,
  log: Logger,
  userAgent: string,
  election?: LeaderElectionConfig,
): Promise<ProgramParts> {
  const access = await loadAccess(process.env);
  const metrics = new OperatorMetrics();
  const common = { access, onResponse: metrics.countRequest };
  const elected = election && electionParts(election);
  const api = new KubeClient({ ...common, userAgent, guardWrite: elected?.fence.check });
  const manager = new Manager({
    api,
    log,
    metrics,
    namespaces: config.watchNamespaces,
    health: { host: config.bindAddress, port: config.healthPort },
    metricsAt: { host: config.bindAddress, port: config.metricsPort },
    silenceTimeoutMs: config.watchSilenceTimeoutMs,
    election: elected?.elector,
  });

  /** Apart from the others' connections: a renewal must not wait for them. */
  function electionParts({ lease, ...timing }: LeaderElectionConfig) {
    const fence = new WriteFence(systemClock, timing.renewDeadlineMs);
    // client-go's number: two tries fit into the deadline.
    const timeoutMs = Math.max(1000, timing.renewDeadlineMs / 2);
    const client = new KubeClient({
      ...common,
      userAgent: `${userAgent}/leader-election`,
      requestTimeoutMs: timeoutMs,
      connectTimeoutMs: timeoutMs,
      guardWrite: fence.checkLease,
    });
    const elector = new LeaderElector({
      ...timing,
      api: client,
      lease,
      identity: `${hostname()}_${randomUUID()}`,
      fence,
      clock: systemClock,
      random: Math.random,
      log,
      onLeading: metrics.forLeaderElection(lease.name),
    });
    return { client, fence, elector };
  }

  return {
    api,
    manager,
    metrics,
    close: async () => {
      await Promise.all([api.close(), elected?.client.close()]);
    },
  };
}
