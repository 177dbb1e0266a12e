import type { HorizontalPodAutoscaler, ScaledObject } from '../live-objects.ts';
import type { MetricsProvider } from '../metrics-provider.ts';
import type { ModelService } from '../resource.ts';
import type { ConditionDraft } from './condition-draft.ts';
import type { Facts } from './facts.ts';
import { type MetricsFacts, metricsApiProblem, metricsApiWarning } from './metrics-api-problem.ts';

/** What to do about a metric that the autoscaler cannot read, by the reason that it gives. */
const HINTS: Readonly<Record<string, string>> = {
  FailedGetContainerResourceMetric: 'The CPU use cannot be read: install metrics-server, or scale on InFlightRequests.',
  FailedGetExternalMetric:
    'KEDA cannot read the request metrics: see that metrics.prometheusUrl leads to a Prometheus that scrapes the pods.',
};

/** The same for the request metrics, by who is to serve them. */
const REQUEST_HINTS: Readonly<Record<MetricsProvider, string>> = {
  builtin: 'The request metrics cannot be read: see the logs of the metrics API, which the chart installs.',
  'prometheus-adapter':
    'The adapter does not serve the request metrics: merge the rules that the chart ships, and see that its Prometheus scrapes the pods.',
  // Whose request metrics are external ones.
  keda: 'The request metrics cannot be read.',
  shared:
    'The shared metrics API does not serve the request metrics: the release that has it names this namespace in metrics.api.furtherNamespaces.',
  none: 'Nobody serves the request metrics: install the operator with a metrics.provider other than none, or see kubectl get apiservice v1beta2.custom.metrics.k8s.io.',
};

/** What the autoscaler says where the metrics API answered, with the metric of no pod at all. */
const NO_VALUES = /no metrics returned from custom metrics API/;

/**
 * AutoscalingActive: the autoscaler can read what it scales on. While it cannot, the size stays as it is. Undefined for a
 * fixed size, and until the autoscaler has looked for the first time.
 */
export function autoscalingActiveCondition(
  service: ModelService,
  facts: Facts,
  autoscaler: HorizontalPodAutoscaler | undefined,
  metrics: MetricsFacts,
  scaledObject?: ScaledObject | undefined,
): ConditionDraft | undefined {
  if (service.spec.scaling.maxReplicas === undefined) return undefined;
  if (facts.idle) {
    return no('ScalingPaused', 'There are no pods since nobody asks: the autoscaler goes on after the next request.');
  }
  if (facts.wanted === 0) {
    return no('ScalingPaused', 'The size is zero: the autoscaler waits until there are pods again.');
  }
  const problem = metricsApiProblem(service, metrics);
  if (problem !== undefined) return no(problem.reason, problem.message);
  const refused = scaledObject?.status?.conditions?.find(({ type }) => type === 'Ready');
  // While no pod answers, there is nothing to trigger.
  if (refused?.status === 'False' && !(facts.ready === 0 && refused.reason === 'TriggerError')) {
    const { reason = '', message = reason } = refused;
    return no('KEDANotReady', `KEDA does not scale by ScaledObject ${service.metadata.name}: ${message}`);
  }
  const told = autoscaler?.status?.conditions?.find(({ type }) => type === 'ScalingActive');
  if (told === undefined) return undefined;
  const warning = metricsApiWarning(service, metrics);
  if (warning !== undefined) {
    return { type: 'AutoscalingActive', status: told.status === 'True' ? 'True' : 'False', ...warning };
  }
  if (told.status === 'True') {
    // A rollout's pods are Ready's to tell of.
    if (facts.cause !== undefined && facts.rolledOut && facts.ready < facts.wanted) {
      return yes(facts.cause.reason, `The autoscaler wants more pods than answer. ${facts.cause.message}`);
    }
    return isAtMost(autoscaler)
      ? yes(
          'LimitedByMaxReplicas',
          'The autoscaler wants more pods than spec.scaling.maxReplicas: raise it to get them.',
        )
      : yes('MetricsRead', 'The autoscaler reads its metrics.');
  }
  if (facts.ready === 0) {
    return no('NothingToMeasure', 'No pod answers yet, so there is nothing to scale on; the size stays as it is.');
  }
  if (NO_VALUES.test(told.message ?? '')) {
    return no(
      'PodsSilent',
      'The pods count as ready, but none tells its request metrics: see /metrics of their port 8082 and their logs, whether a NetworkPolicy keeps the metrics API out, and with metrics.prometheusUrl whether that server scrapes them. The size stays as it is.',
    );
  }
  const hints: Readonly<Record<string, string>> = { ...HINTS, FailedGetPodsMetric: REQUEST_HINTS[metrics.provider] };
  const hint = hints[told.reason ?? ''] ?? 'The autoscaler cannot tell how many pods are needed.';
  return no(
    'MetricsMissing',
    `${hint} The size stays as it is. The autoscaler says: ${told.message ?? told.reason ?? ''}`,
  );
}

function isAtMost(autoscaler: HorizontalPodAutoscaler | undefined): boolean {
  const limited = autoscaler?.status?.conditions?.find(({ type }) => type === 'ScalingLimited');
  return limited?.status === 'True' && limited.reason === 'TooManyReplicas';
}

function yes(reason: ConditionDraft['reason'], message: string): ConditionDraft {
  return { type: 'AutoscalingActive', status: 'True', reason, message };
}

function no(reason: ConditionDraft['reason'], message: string): ConditionDraft {
  return { type: 'AutoscalingActive', status: 'False', reason, message };
}
