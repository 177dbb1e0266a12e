import type { EventDraft } from '../../runtime/event-recorder.ts';
import type { Condition } from '../types.generated.ts';

type Conditions = readonly Condition[];
/** What a change of the condition is as an event; undefined: nothing to tell. */
type Rule = (now: Condition, before: Condition | undefined, all: Conditions) => EventDraft['type'] | undefined;

/** Of these Ready speaks in the ordinary course of things. */
const ORDINARY: ReadonlySet<string> = new Set([
  'Serving',
  'RolloutInProgress',
  'Idle',
  'Waking',
  'Suspended',
  'ScaledToZero',
]);
/** Before these nothing was told that a `Serving` would end: making a service costs no event. */
const BEGINNINGS: ReadonlySet<string | undefined> = new Set([undefined, 'PodsStarting']);
const NOTHING_TO_SCALE: ReadonlySet<string> = new Set(['ScalingPaused', 'NothingToMeasure']);

/** By the condition, in the order in which they are told, with what was being done. */
const RULES: readonly (readonly [Condition['type'], string, Rule])[] = [
  ['Ready', 'Serve', ready],
  ['Reconciling', 'RollOut', rolloutCause],
  ['Stalled', 'CarryOut', stalled],
  ['AutoscalingActive', 'Scale', autoscaling],
  ['Drifted', 'Apply', drifted],
];

/** What a change from the conditions `before` to those `after` is as events; none where no reason has changed. */
export function eventsOf(before: Conditions, after: Conditions): readonly EventDraft[] {
  return RULES.flatMap(([conditionType, action, rule]) => {
    const [was, is] = [conditionOf(before, conditionType), conditionOf(after, conditionType)];
    if (is === undefined || (was?.status === is.status && was.reason === is.reason)) return [];
    const type = rule(is, was, after);
    return type === undefined ? [] : [{ type, reason: is.reason, action, note: is.message }];
  });
}

function ready(now: Condition, before: Condition | undefined): EventDraft['type'] | undefined {
  if (now.reason === 'PodsStarting') return undefined;
  if (now.reason === 'Serving' && BEGINNINGS.has(before?.reason)) return undefined;
  return ORDINARY.has(now.reason) ? 'Normal' : 'Warning';
}

/** While old pods answer, Ready does not bear the cause. */
function rolloutCause(now: Condition, _before: unknown, all: Conditions): EventDraft['type'] | undefined {
  const told = conditionOf(all, 'Ready')?.reason;
  return now.status === 'True' && now.reason !== told && now.reason !== 'PodsStarting' ? 'Warning' : undefined;
}

function stalled(now: Condition, _before: unknown, all: Conditions): EventDraft['type'] | undefined {
  return now.status === 'True' && now.reason !== conditionOf(all, 'Ready')?.reason ? 'Warning' : undefined;
}

function autoscaling(now: Condition, before: Condition | undefined): EventDraft['type'] | undefined {
  if (now.status === before?.status || NOTHING_TO_SCALE.has(now.reason)) return undefined;
  if (now.status === 'False') return 'Warning';
  return before === undefined || NOTHING_TO_SCALE.has(before.reason) ? undefined : 'Normal';
}

function drifted(now: Condition): EventDraft['type'] | undefined {
  return now.status === 'True' ? 'Warning' : undefined;
}

function conditionOf(conditions: Conditions, type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}
