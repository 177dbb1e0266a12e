import type { Intent } from '../../kube/types.ts';
import { childLabels, SERVER_CONTAINER } from '../conventions.ts';
import { type ModelService, ownerReferenceTo } from '../resource.ts';
import type { ScalingMetric } from '../types.generated.ts';

/** The target of autoscaling/v2 where no metric is given. */
const DEFAULT_METRICS: readonly ScalingMetric[] = [{ type: 'Cpu', target: { averageUtilization: 80 } }];

/** The HorizontalPodAutoscaler of `service`; undefined for a fixed size. */
export function horizontalPodAutoscalerOf(service: ModelService): Intent | undefined {
  const { minReplicas, maxReplicas, metrics, behavior } = service.spec.scaling;
  if (maxReplicas === undefined) return undefined;
  const { name, namespace } = service.metadata;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: childLabels(name),
      ownerReferences: [ownerReferenceTo(service)],
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas,
      maxReplicas,
      metrics: (metrics ?? DEFAULT_METRICS).map(metricOf),
      ...(behavior === undefined ? {} : { behavior }),
    },
  };
}

function metricOf(metric: ScalingMetric): unknown {
  return {
    // Of our container alone: an injected sidecar without a CPU request would make the pod's own share unknown.
    type: 'ContainerResource',
    containerResource: {
      name: 'cpu',
      container: SERVER_CONTAINER,
      target: { type: 'Utilization', averageUtilization: metric.target.averageUtilization },
    },
  };
}
