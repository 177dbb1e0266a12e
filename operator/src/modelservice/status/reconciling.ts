import type { ConditionDraft } from './condition-draft.ts';
import type { Facts } from './facts.ts';

/** Reconciling: a change is being carried out, or pods that should answer do not yet. */
export function reconcilingCondition(
  facts: Facts,
  ready: ConditionDraft,
  stalled: ConditionDraft,
  replicas: number,
): ConditionDraft {
  if (stalled.status === 'True') return no('GaveUp', 'The spec is not being carried out: see the condition Stalled.');
  if (facts.wanted === 0) {
    return replicas === 0 || facts.idle
      ? no('UpToDate', 'The spec is carried out.')
      : { type: 'Reconciling', status: 'True', reason: ready.reason, message: 'Pods are being stopped.' };
  }
  if (facts.rolledOut && facts.ready >= facts.minimum) return no('UpToDate', 'The spec is carried out.');
  // While old pods answer, Ready says so, and this is where a tool finds why the new ones do not.
  const { reason } = facts.cause ?? ready;
  return { type: 'Reconciling', status: 'True', reason, message: ready.message };
}

function no(reason: 'UpToDate' | 'GaveUp', message: string): ConditionDraft {
  return { type: 'Reconciling', status: 'False', reason, message };
}
