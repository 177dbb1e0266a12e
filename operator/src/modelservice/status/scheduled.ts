import type { Pod } from '../live-objects.ts';
import type { ConditionDraft } from './condition-draft.ts';
import { unschedulable } from './placement.ts';

/**
 * Scheduled: every pod has a node. Undefined while there are no pods, or while the scheduler has not looked at one of
 * them yet, so that a start costs no write for it.
 */
export function scheduledCondition(pods: readonly Pod[]): ConditionDraft | undefined {
  const present = pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded',
  );
  for (const pod of present) {
    const problem = unschedulable(pod);
    if (problem !== undefined) return { type: 'Scheduled', status: 'False', ...problem };
  }
  if (present.length === 0 || !present.every(hasNode)) return undefined;
  return { type: 'Scheduled', status: 'True', reason: 'NodesFound', message: 'Every pod has a node.' };
}

function hasNode({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'True',
  );
}
