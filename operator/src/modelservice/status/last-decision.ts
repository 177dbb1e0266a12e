import type { HorizontalPodAutoscaler } from '../observed.ts';
import { metricTypeOf } from '../plan/scaling-metrics.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingDecision } from '../types.generated.ts';

/** Which bound kept a change smaller than the metric asked for, by the autoscaler's reason for ScalingLimited. */
const LIMITS: Readonly<Record<string, ScalingDecision['limitedBy']>> = {
  TooManyReplicas: 'maxReplicas',
  TooFewReplicas: 'minReplicas',
  ScaleUpLimit: 'behavior.scaleUp',
  ScaleDownLimit: 'behavior.scaleDown',
};

/**
 * The autoscaler's latest change of the size, from its own status; undefined where there was none. What was told of it
 * before stays: only the status that the autoscaler writes with a change tells where it came from, and the next look,
 * 15 s later, replaces that one.
 */
export function lastDecisionOf(
  service: ModelService,
  autoscaler: HorizontalPodAutoscaler | undefined,
): ScalingDecision | undefined {
  if (service.spec.scaling.maxReplicas === undefined) return undefined;
  const before = service.status.scaling?.lastDecision;
  const { lastScaleTime, desiredReplicas } = autoscaler?.status ?? {};
  if (lastScaleTime === undefined || desiredReplicas === undefined || before?.time === lastScaleTime) return before;
  return { time: lastScaleTime, to: desiredReplicas, ...originOf(service, autoscaler, desiredReplicas) };
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
