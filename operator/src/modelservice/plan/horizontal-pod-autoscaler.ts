import type { Intent } from '../../kube/types.ts';
import { SERVER_CONTAINER } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingBehavior, ScalingMetric } from '../types.generated.ts';
import { childMetadata } from './child-metadata.ts';
import { REQUEST_METRICS, scalingMetricsOf } from './scaling-metrics.ts';

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
  const { minReplicas, maxReplicas, behavior } = service.spec.scaling;
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
      metrics: scalingMetricsOf(service).map(metricOf),
      behavior: { ...DEFAULT_BEHAVIOR, ...behavior },
    },
  };
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
