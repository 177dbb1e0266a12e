import type { StoreReader } from '../runtime/store-reader.ts';
import type { MetricRequest } from './api-request.ts';
import { matches, onlyValueOf, parseSelector, type Requirement } from './label-selector.ts';
import type { ReadMetric } from './metric-source.ts';
import { type MeasuredObject, metricValueList } from './metric-value.ts';
import { MODEL_SERVICE_API_VERSION, MODEL_SERVICES, NAME_LABEL, PODS, SERVED_METRICS } from './served-metrics.ts';
import { BY_MODEL_SERVICE, BY_NAMESPACE, type ServerPod } from './server-pod.ts';

/** There is no such metric, object, or value of it. */
export class NotServedError extends Error {
  override readonly name = 'NotServedError';
}

export interface QueryOptions {
  readonly pods: StoreReader<ServerPod>;
  readonly read: ReadMetric;
  /** Whose pods are in the store. Empty: those of all namespaces. */
  readonly namespaces: readonly string[];
}

/**
 * Answers a query. A pod that is not ready or does not answer is left out, never zero: the autoscaler then counts it
 * as idle when it would add pods, and as busy when it would remove some.
 *
 * @throws {NotServedError}
 * @throws {SelectorError}
 * @throws {SourceUnavailableError}
 */
export async function queryMetric(request: MetricRequest, options: QueryOptions): Promise<object> {
  const { version, resource, metric } = request;
  if (!SERVED_METRICS.includes(metric)) {
    throw new NotServedError(`there is no metric ${metric}: the metrics are ${SERVED_METRICS.join(', ')}`);
  }
  if (options.namespaces.length > 0 && !options.namespaces.includes(request.namespace)) {
    throw new NotServedError(
      `the metrics API does not look at namespace ${request.namespace}: name it in metrics.api.furtherNamespaces of the release that installed it`,
    );
  }
  const series = parseSelector(request.metricLabelSelector);
  switch (resource) {
    case PODS:
      return metricValueList(version, metric, await ofPods(request, series, options));
    case MODEL_SERVICES:
      return metricValueList(version, metric, [await ofModelService(request, series, options)]);
    default:
      throw new NotServedError(`${resource} have no metrics here: ask for ${PODS} or ${MODEL_SERVICES}`);
  }
}

async function ofPods(
  { namespace, name, metric, labelSelector }: MetricRequest,
  series: readonly Requirement[],
  { pods, read }: QueryOptions,
): Promise<readonly MeasuredObject[]> {
  const selected = name === '*' ? select(pods, namespace, parseSelector(labelSelector)) : one(pods, namespace, name);
  const measured = await measure(selected, metric, series, read);
  if (name !== '*' && measured.length === 0) {
    throw new NotServedError(`Pod ${namespace}/${name} has no value of ${metric}: it is not ready or does not answer`);
  }
  return measured;
}

/**
 * The sum over all ready pods. Pods that do not answer count as those that do, on average: leaving them out of a sum
 * would make them zero.
 */
async function ofModelService(
  { namespace, name, metric }: MetricRequest,
  series: readonly Requirement[],
  { pods, read }: QueryOptions,
): Promise<MeasuredObject> {
  const ready = pods
    .byIndex(BY_MODEL_SERVICE, `${namespace}/${name}`)
    .filter(({ metricsUrl }) => metricsUrl !== undefined);
  const measured = await measure(ready, metric, series, read);
  if (measured.length === 0) {
    throw new NotServedError(`no pod of ModelService ${namespace}/${name} is ready and answers with ${metric}`);
  }
  const sum = measured.reduce((total, { value }) => total + value, 0);
  return {
    kind: 'ModelService',
    apiVersion: MODEL_SERVICE_API_VERSION,
    namespace,
    name,
    value: (sum / measured.length) * ready.length,
    at: Math.min(...measured.map(({ at }) => at)),
  };
}

function select(
  pods: StoreReader<ServerPod>,
  namespace: string,
  requirements: readonly Requirement[],
): readonly ServerPod[] {
  // Whoever scales a ModelService names it, and a namespace may have thousands of pods.
  const service = onlyValueOf(requirements, NAME_LABEL);
  const candidates =
    service === undefined
      ? pods.byIndex(BY_NAMESPACE, namespace)
      : pods.byIndex(BY_MODEL_SERVICE, `${namespace}/${service}`);
  return candidates.filter(({ metadata }) => matches(requirements, metadata.labels ?? {}));
}

function one(pods: StoreReader<ServerPod>, namespace: string, name: string): readonly ServerPod[] {
  const pod = pods.get(`${namespace}/${name}`);
  if (pod === undefined) throw new NotServedError(`there is no Pod ${namespace}/${name} of a ModelService`);
  return [pod];
}

async function measure(
  pods: readonly ServerPod[],
  metric: string,
  series: readonly Requirement[],
  read: ReadMetric,
): Promise<readonly MeasuredObject[]> {
  const readings = await read(pods, metric);
  return pods.flatMap((pod, index): readonly MeasuredObject[] => {
    const reading = readings[index];
    const samples = reading?.samples.filter((sample) => sample.metric === metric && matches(series, sample.labels));
    if (reading === undefined || samples === undefined || samples.length === 0) return [];
    const { namespace = '', name } = pod.metadata;
    const value = samples.reduce((total, sample) => total + sample.value, 0);
    return [{ kind: 'Pod', apiVersion: 'v1', namespace, name, value, at: reading.at }];
  });
}
