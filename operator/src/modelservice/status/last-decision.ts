import type { Deployment, HorizontalPodAutoscaler, Pod } from '../live-objects.ts';
import { timeOf } from '../plan/idleness.ts';
import { idleSince } from '../plan/scale-to-zero.ts';
import { metricTypeOf } from '../plan/scaling-metrics.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingDecision } from '../types.generated.ts';
import { timestamp } from './timestamp.ts';

/** Which bound kept a change smaller than the metric asked for, by the autoscaler's reason for ScalingLimited. */
const LIMITS: Readonly<Record<string, ScalingDecision['limitedBy']>> = {
  TooManyReplicas: 'maxReplicas',
  TooFewReplicas: 'minReplicas',
  ScaleUpLimit: 'behavior.scaleUp',
  ScaleDownLimit: 'behavior.scaleDown',
};

export interface LastDecisionInput {
  readonly service: ModelService;
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
  /** As it is after this pass' writes. */
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The latest change of the size, by the autoscaler or to zero and back; undefined where there was none. What was told
 * before stays: only the status that the autoscaler writes with a change tells where it came from, and the next look,
 * 15 s later, replaces that one.
 */
export function lastDecisionOf(input: LastDecisionInput): ScalingDecision | undefined {
  const { service, autoscaler } = input;
  if (service.spec.scaling.maxReplicas === undefined) return undefined;
  const before = service.status.scaling?.lastDecision;
  const ours = zeroDecisionOf(input, before);
  if (ours !== undefined) return ours;
  const { lastScaleTime, desiredReplicas } = autoscaler?.status ?? {};
  if (lastScaleTime === undefined || desiredReplicas === undefined) return before;
  // An autoscaler's former one may be older than the way to zero and back.
  const told = timeOf(before?.time);
  if (told !== undefined && told >= (timeOf(lastScaleTime) ?? 0)) return before;
  return { time: lastScaleTime, to: desiredReplicas, ...originOf(service, autoscaler, desiredReplicas) };
}

/** Of a service that is at zero because nobody asked, or was until this pass; undefined: nothing new. */
function zeroDecisionOf(
  { service, deployment, pods, now }: LastDecisionInput,
  before: ScalingDecision | undefined,
): ScalingDecision | undefined {
  const since = idleSince(deployment);
  if (since === undefined) {
    const to = deployment?.spec.replicas ?? 0;
    return before?.reason === 'Idle' && to > 0 ? { time: timestamp(now), from: 0, to, reason: 'Woken' } : undefined;
  }
  const time = timestamp(since);
  if (before?.reason === 'Idle' && before.time === time) return before;
  // Of a time at zero that a former process began there may be nobody left.
  const from = service.status.replicas || pods.length;
  return { time, ...(from === 0 ? {} : { from }), to: 0, reason: 'Idle' };
}

function originOf(
  service: ModelService,
  autoscaler: HorizontalPodAutoscaler | undefined,
  to: number,
): Omit<ScalingDecision, 'time' | 'to'> {
  const { currentReplicas: from, conditions = [] } = autoscaler?.status ?? {};
  const conditionOf = (type: string) => conditions.find((condition) => condition.type === type);
  if (conditionOf('AbleToScale')?.reason !== 'SucceededRescale' || from === undefined) return {};
  const { minReplicas, maxReplicas } = autoscaler?.spec ?? {};
  // Without a look at the metrics, whose conditions are then of an earlier one.
  if (maxReplicas !== undefined && from > maxReplicas) return { from, reason: 'AboveMaxReplicas' };
  if (minReplicas !== undefined && from < minReplicas) return { from, reason: 'BelowMinReplicas' };
  const source = /replica count from (.*)$/s.exec(conditionOf('ScalingActive')?.message ?? '')?.[1];
  const metric = source === undefined ? undefined : metricTypeOf(source, service);
  const limited = conditionOf('ScalingLimited');
  const limitedBy = limited?.status === 'True' ? LIMITS[limited.reason ?? ''] : undefined;
  return {
    from,
    reason: to > from ? 'MetricAboveTarget' : 'MetricBelowTarget',
    ...(metric === undefined ? {} : { metric }),
    ...(limitedBy === undefined ? {} : { limitedBy }),
  };
}
