import type { ApiState, MetricsApis, UnavailableApi } from '../metrics-apis.ts';
import type { MetricsProvider } from '../metrics-provider.ts';
import { scalingMetricsOf } from '../plan/scaling-metrics.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';

/** What is known of the APIs that autoscalers read. */
export interface MetricsFacts {
  readonly provider: MetricsProvider;
  /** Undefined where nobody looks, as with provider none. */
  readonly apis: MetricsApis | undefined;
}

const STAYS = 'The size stays as it is.';

/** What is wrong with an API that the metrics of `service` come from; undefined: nothing that is known of. */
export function metricsApiProblem(service: ModelService, { provider, apis }: MetricsFacts): Problem | undefined {
  if (apis === undefined) return undefined;
  const types = scalingMetricsOf(service).map(({ type }) => type);
  const onRequests = types.some((type) => type !== 'Cpu');
  const [request, resource] = [
    provider === 'keda' ? kedaProblem(apis.keda) : onRequests ? requestProblem(provider, apis) : undefined,
    types.includes('Cpu') ? resourceProblem(apis.resourceMetrics, onRequests) : undefined,
  ];
  return request ?? resource;
}

/** What goes wrong sooner or later though the autoscaler reads its metrics; undefined: nothing. */
export function metricsApiWarning(service: ModelService, { provider, apis }: MetricsFacts): Problem | undefined {
  const foreign = provider === 'builtin' ? apis?.foreign : undefined;
  if (foreign === undefined || scalingMetricsOf(service).every(({ type }) => type === 'Cpu')) return undefined;
  return {
    reason: 'MetricsAPIContested',
    message: `APIService ${foreign.apiService} leads to Service ${foreign.service}, which is not this operator's: autoscalers read the newest version alone, so either its metrics or these are not read. Remove that APIService, or install the operator with metrics.provider=prometheus-adapter or none.`,
  };
}

function requestProblem(provider: MetricsProvider, { customMetrics }: MetricsApis): Problem | undefined {
  if (customMetrics.state === 'served') return undefined;
  const own = provider === 'builtin';
  if (customMetrics.state === 'missing') {
    const remedy = own
      ? 'The chart registers it with metrics.provider=builtin: run helm upgrade.'
      : 'Install prometheus-adapter with the rules that the chart ships, or install the operator with metrics.provider=builtin.';
    return { reason: 'MetricsAPIMissing', message: `Nobody serves custom.metrics.k8s.io. ${remedy} ${STAYS}` };
  }
  return {
    reason: 'MetricsAPIUnavailable',
    message: `The request metrics cannot be read: ${look(customMetrics)} ${STAYS}`,
  };
}

function resourceProblem(api: ApiState, hasOthers: boolean): Problem | undefined {
  if (api.state === 'served') return undefined;
  const consequence = hasOthers ? 'Until then the other metrics can add pods and none can remove any.' : STAYS;
  const what =
    api.state === 'missing'
      ? 'Nobody serves metrics.k8s.io, from which the CPU use comes: install metrics-server, or scale on InFlightRequests.'
      : `The CPU use cannot be read: ${look(api)}`;
  return { reason: 'ResourceMetricsMissing', message: `${what} ${consequence}` };
}

function kedaProblem(api: ApiState): Problem | undefined {
  if (api.state === 'served') return undefined;
  return {
    reason: 'KEDAMissing',
    message: `KEDA is not installed, and metrics.provider=keda has it scale: install KEDA, or install the operator with another metrics.provider. ${STAYS}`,
  };
}

function look({ apiService, why }: UnavailableApi): string {
  return `APIService ${apiService} is not available (${why.replace(/\.$/, '')}); see that its pods run.`;
}
