import type { ConditionDraft } from './condition-draft.ts';
import type { Facts } from './facts.ts';
import type { Problem } from './problem.ts';

/** Stalled: the spec cannot be carried out and somebody has to act; `ready` names the cause where pods show none. */
export function stalledCondition(facts: Facts, ready: ConditionDraft): ConditionDraft {
  const problem = facts.problem ?? failedPods(facts, ready);
  if (problem === undefined) {
    return {
      type: 'Stalled',
      status: 'False',
      reason: 'NotStalled',
      message: 'Nothing keeps the spec from being carried out.',
    };
  }
  return { type: 'Stalled', status: 'True', reason: problem.reason, message: problem.message };
}

function failedPods(facts: Facts, ready: ConditionDraft): Problem | undefined {
  const complete = facts.rolledOut && facts.ready >= facts.minimum;
  if (facts.wanted === 0 || complete || !facts.expired) return undefined;
  if (facts.cause !== undefined) return facts.cause;
  return { reason: 'DeadlineExceeded', message: ready.message };
}
