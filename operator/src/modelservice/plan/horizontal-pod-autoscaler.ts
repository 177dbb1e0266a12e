import type { Intent } from '../../kube/types.ts';
import { SERVER_CONTAINER } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingMetric } from '../types.generated.ts';
import { autoscalerBoundsOf } from './autoscaler-bounds.ts';
import { childMetadata } from './child-metadata.ts';
import { REQUEST_METRICS, scalingMetricsOf } from './scaling-metrics.ts';

/** The HorizontalPodAutoscaler of `service`; undefined for a fixed size. */
export function horizontalPodAutoscalerOf(service: ModelService): Intent | undefined {
  const bounds = autoscalerBoundsOf(service);
  if (bounds === undefined) return undefined;
  const { minReplicas, maxReplicas, behavior } = bounds;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMetadata(service),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: service.metadata.name },
      minReplicas,
      maxReplicas,
      metrics: scalingMetricsOf(service).map(metricOf),
      behavior,
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
