import { parseQuantity } from '../../kube/quantity.ts';
import type { Intent } from '../../kube/types.ts';
import { SERVER_CONTAINER } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import type { ScalingMetric } from '../types.generated.ts';
import { autoscalerBoundsOf } from './autoscaler-bounds.ts';
import { childMetadata } from './child-metadata.ts';
import { REQUEST_METRICS, scalingMetricsOf } from './scaling-metrics.ts';

export interface KedaSettings {
  /** Where KEDA asks for the request metrics. */
  readonly prometheusUrl: string;
  /** What was scraped longer ago does not count. */
  readonly maxAgeMs: number;
}

/**
 * Name, or `NAMESPACE/NAME`, of the HorizontalPodAutoscaler that KEDA makes: not that of ours, so that neither is in the
 * other's way.
 */
export function kedaAutoscalerName(name: string): string {
  return `${name}--keda`;
}

/**
 * The ScaledObject that has KEDA scale `service`; undefined for a fixed size.
 *
 * @param pauses there are to be no pods, and KEDA would bring one back
 */
export function scaledObjectOf(service: ModelService, settings: KedaSettings, pauses: boolean): Intent | undefined {
  const bounds = autoscalerBoundsOf(service);
  if (bounds === undefined) return undefined;
  const { name } = service.metadata;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: childMetadata(service, { annotations: pauses ? { 'autoscaling.keda.sh/paused': 'true' } : undefined }),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicaCount: bounds.minReplicas,
      maxReplicaCount: bounds.maxReplicas,
      advanced: { horizontalPodAutoscalerConfig: { name: kedaAutoscalerName(name), behavior: bounds.behavior } },
      triggers: scalingMetricsOf(service).map((metric) => triggerOf(service, metric, settings)),
    },
  };
}

function triggerOf(service: ModelService, { type, target }: ScalingMetric, settings: KedaSettings): unknown {
  if (type === 'Cpu') {
    return {
      type: 'cpu',
      metricType: 'Utilization',
      metadata: { value: String(target.averageUtilization), containerName: SERVER_CONTAINER },
    };
  }
  return {
    type: 'prometheus',
    metricType: 'AverageValue',
    metadata: {
      serverAddress: settings.prometheusUrl,
      query: queryFor(service, REQUEST_METRICS[type], settings.maxAgeMs),
      threshold: decimalOf(target.averageValue ?? 0),
      // Else a Prometheus that knows nothing would look like no load.
      ignoreNullValues: 'false',
    },
  };
}

/**
 * The sum over the service's pods, each once although it may be scraped twice. A pod whose scrape fails, and that told
 * the metric in the 5 minutes before, counts as the others do on average: it must not look like less load. Empty where
 * no pod tells anything, which is an error to KEDA: the size stays as it is.
 */
function queryFor({ metadata }: ModelService, metric: string, maxAgeMs: number): string {
  // The names that a Deployment gives its pods; no other service's, which would have one part more.
  const pods = `{namespace="${metadata.namespace ?? 'default'}",pod=~"${metadata.name}-[a-z0-9]+-[a-z0-9]+"}`;
  const fresh = `(${metric}${pods} and time() - timestamp(${metric}${pods}) <= ${maxAgeMs / 1000})`;
  const each = `sum by (pod) (max by (pod, model, version) ${fresh})`;
  const silent = `max by (pod) (up${pods} == 0 and on (job, instance) last_over_time(${metric}${pods}[5m])) unless ${each}`;
  return `sum(${each}) + avg(${each}) * (count(${silent}) or vector(0))`;
}

/** KEDA reads thresholds as plain numbers, not as quantities. */
function decimalOf(quantity: number | string): string {
  const billionths = parseQuantity(String(quantity));
  if (billionths === undefined) {
    throw new Error(`averageValue ${quantity} is no quantity, though the definition asks for one`);
  }
  return String(Number(billionths) / 1e9);
}
