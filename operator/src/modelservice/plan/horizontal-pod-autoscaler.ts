import type { Intent } from '../../kube/types.ts';
import { SERVER_CONTAINER } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingBehavior, ScalingMetric } from '../types.generated.ts';
import { childMetadata } from './child-metadata.ts';

/** Of what keeps a server that joins requests busy, one batch that runs and one that waits: room to grow into. */
const DEFAULT_SHARE_PERCENT = 70;

/** The names under which the metrics API serves what the servers tell (metrics-api/served-metrics.ts). */
const REQUEST_METRICS = {
  InFlightRequests: 'modelservice_in_flight_avg15s',
  RequestsPerSecond: 'modelservice_requests_per_second_avg15s',
  QueueDepth: 'modelservice_queued_avg15s',
} as const;

/**
 * While new pods load, requests pile up at those that answer and would ask for still more: so a step up has a minute
 * to show its effect. The metrics are means of 15 s, so the first step needs no window of its own.
 */
const DEFAULT_BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 2, periodSeconds: 60 },
      { type: 'Percent', value: 100, periodSeconds: 60 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
  },
} as const satisfies ScalingBehavior;

/** The HorizontalPodAutoscaler of `service`; undefined for a fixed size. */
export function horizontalPodAutoscalerOf(service: ModelService): Intent | undefined {
  const { minReplicas, maxReplicas, metrics, behavior } = service.spec.scaling;
  if (maxReplicas === undefined) return undefined;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMetadata(service),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: service.metadata.name },
      // A stock autoscaler has no 0; going there and coming back is ours (idle.ts).
      minReplicas: Math.max(1, minReplicas),
      maxReplicas,
      metrics: (metrics ?? defaultMetrics(service)).map(metricOf),
      behavior: { ...DEFAULT_BEHAVIOR, ...behavior },
    },
  };
}

/**
 * A server that does not join requests works on one at a time: with two, the next is there when one is answered. One
 * that does holds two batches, and is full well before its target would be 100 % of them.
 */
function defaultMetrics({ spec: { batching } }: ModelService): readonly ScalingMetric[] {
  const averageValue = batching === undefined ? 2 : hundredths(2 * batching.maxBatchSize * DEFAULT_SHARE_PERCENT);
  return [{ type: 'InFlightRequests', target: { averageValue } }];
}

/** So many hundredths as a quantity in its canonical form. */
function hundredths(amount: number): string {
  return amount % 100 === 0 ? String(amount / 100) : `${amount * 10}m`;
}

function metricOf({ type, target }: ScalingMetric): unknown {
  if (type === 'Cpu') {
    return {
      // Of our container alone: an injected sidecar without a CPU request would make the pod's own share unknown.
      type: 'ContainerResource',
      containerResource: {
        name: 'cpu',
        container: SERVER_CONTAINER,
        target: { type: 'Utilization', averageUtilization: target.averageUtilization },
      },
    };
  }
  return {
    type: 'Pods',
    pods: {
      metric: { name: REQUEST_METRICS[type] },
      target: { type: 'AverageValue', averageValue: String(target.averageValue) },
    },
  };
}
