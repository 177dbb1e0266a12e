import { NAME_LABEL } from '../conventions.ts';
import type { Pod } from '../live-objects.ts';
import { timeOf } from '../plan/idleness.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';
import { serverStatus } from './server-status.ts';

/**
 * The server answered and does not any more. One that starts is not ready either, but its condition is older than its
 * container.
 */
export function probeFailing(pod: Pod, { metadata }: ModelService): Problem | undefined {
  const status = serverStatus(pod);
  const startedAt = timeOf(status?.state?.running?.startedAt);
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const since = timeOf(ready?.lastTransitionTime);
  if (status?.ready !== false || ready?.status !== 'False') return undefined;
  if (startedAt === undefined || since === undefined || since <= startedAt) return undefined;
  return {
    reason: 'ProbeFailing',
    message: `A server that was ready has failed its readiness probe since ${ready.lastTransitionTime}: see kubectl logs -l ${NAME_LABEL}=${metadata.name}`,
  };
}
