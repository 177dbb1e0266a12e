import type { RolloutDecision } from '../plan/rollout-strategy.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';

/**
 * What the lack of a free GPU means for a rollout, in place of what its pods show of it; undefined where they show
 * something else, or there is room.
 *
 * @param cause what the pods show
 */
export function capacityProblem(
  { spec }: ModelService,
  capacity: RolloutDecision['capacity'],
  cause: Problem | undefined,
): Problem | undefined {
  if (cause !== undefined && cause.reason !== 'Unschedulable') return undefined;
  const resource = spec.gpu?.resourceName ?? 'GPU';
  switch (capacity) {
    case 'Enough':
      return undefined;
    case 'Replacing':
      return {
        reason: 'ReplacingPods',
        message: `No node has a free ${resource} beside the old pods: each of them goes before a new one comes.`,
      };
    case 'Blocked':
      return {
        reason: 'BlockedByCapacity',
        message: `No node has a free ${resource}, and without the old pod nobody would answer: add such a node, or set spec.rollout.allowInterruption to true.`,
      };
  }
}
