import type { ConditionDraft } from './condition-draft.ts';

/** Drifted: somebody else set fields of the server's container, which are neither ours to take away nor in the spec. */
export function driftedCondition(name: string, foreignFields: readonly string[]): ConditionDraft {
  const type = 'Drifted';
  if (foreignFields.length === 0) {
    return { type, status: 'False', reason: 'AsApplied', message: 'The Deployment’s container is as the spec asks.' };
  }
  return {
    type,
    status: 'True',
    reason: 'ForeignChanges',
    message: `Somebody else set ${textOf(foreignFields)} of the server's container: move that to spec.server, or take it out with kubectl edit deployment ${name}.`,
  };
}

const LONGEST_LIST = 5;

function textOf(fields: readonly string[]): string {
  if (fields.length <= LONGEST_LIST) return fields.join(', ');
  return `${fields.slice(0, LONGEST_LIST).join(', ')} and ${fields.length - LONGEST_LIST} more`;
}
