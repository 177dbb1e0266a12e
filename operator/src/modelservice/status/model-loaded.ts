import type { Pod } from '../live-objects.ts';
import type { ConditionDraft } from './condition-draft.ts';
import type { Facts } from './facts.ts';
import type { Problem } from './problem.ts';
import { isServerReason } from './reasons.ts';
import { serverStatus } from './server-status.ts';

/**
 * ModelLoaded: a pod of the present spec has fetched, loaded and warmed up the model, whether or not it answers just
 * now. Undefined where there are to be no pods.
 *
 * @param content what is wrong with what pods have loaded
 */
export function modelLoadedCondition(
  facts: Facts,
  pods: readonly Pod[],
  content?: Problem,
): ConditionDraft | undefined {
  if (facts.wanted === 0) return undefined;
  const type = 'ModelLoaded';
  if (content !== undefined) return { type, status: 'False', ...content };
  if (facts.rolledOut && (facts.ready > 0 || pods.some(hasLoaded))) {
    return { type, status: 'True', reason: 'Loaded', message: 'The model is loaded.' };
  }
  const { cause } = facts;
  if (cause !== undefined && (isServerReason(cause.reason) || cause.reason === 'OOMKilled')) {
    return { type, status: 'False', reason: cause.reason, message: cause.message };
  }
  return { type, status: 'False', reason: 'Loading', message: 'No pod of the present spec has loaded the model yet.' };
}

/** The startup probe, which passes once the model is loaded and warmed up, has passed. */
function hasLoaded(pod: Pod): boolean {
  const status = serverStatus(pod);
  return status?.started === true && status.state?.running !== undefined;
}
