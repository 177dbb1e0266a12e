import type { ModelService } from '../resource.ts';
import type { ScalingMetric } from '../types.generated.ts';

export type RequestMetricType = Exclude<ScalingMetric['type'], 'Cpu'>;

/** Of what keeps a server that joins requests busy, one batch that runs and one that waits: room to grow into. */
const DEFAULT_SHARE_PERCENT = 70;

/** The names under which the metrics API serves what the servers tell (metrics-api/served-metrics.ts). */
export const REQUEST_METRICS: Readonly<Record<RequestMetricType, string>> = {
  InFlightRequests: 'modelservice_in_flight_avg15s',
  RequestsPerSecond: 'modelservice_requests_per_second_avg15s',
  QueueDepth: 'modelservice_queued_avg15s',
};

/** What a service is scaled on: what its manifest says, else the default. */
export function scalingMetricsOf(service: ModelService): readonly ScalingMetric[] {
  return service.spec.scaling.metrics ?? defaultMetrics(service);
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

/**
 * The type of the metric that an autoscaler means by its own words for it: `pods metric NAME`, `cpu container resource
 * …`, and for KEDA's, which number the triggers, `external metric sINDEX-…`.
 */
export function metricTypeOf(source: string, service: ModelService): ScalingMetric['type'] | undefined {
  if (/^cpu (container )?resource/.test(source)) return 'Cpu';
  const [, name] = /^pods metric (\S+)/.exec(source) ?? [];
  const [, index] = /^external metric s([0-9]+)-/.exec(source) ?? [];
  if (index !== undefined) return scalingMetricsOf(service)[Number(index)]?.type;
  return scalingMetricsOf(service).find(({ type }) => type !== 'Cpu' && REQUEST_METRICS[type] === name)?.type;
}
