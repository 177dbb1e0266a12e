import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Store } from '../../runtime/store.ts';
import { type ApiService, metricsApisOf } from '../metrics-apis.ts';
import type { MetricsProvider } from '../metrics-provider.ts';
import { sampleService } from '../sample.ts';
import type { ScalingMetric } from '../types.generated.ts';
import { metricsApiProblem, metricsApiWarning } from './metrics-api-problem.ts';

const OURS = 'modelservice-system/metrics-api';
const CPU: ScalingMetric = { type: 'Cpu', target: { averageUtilization: 80 } };
const REQUESTS: ScalingMetric = { type: 'InFlightRequests', target: { averageValue: 2 } };

function registered(name: string, service: string, why?: { readonly reason: string; readonly message: string }) {
  const [namespace = '', serviceName = ''] = service.split('/');
  const apiService: ApiService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: service === '' ? {} : { service: { namespace, name: serviceName } },
    status: { conditions: [{ type: 'Available', status: why === undefined ? 'True' : 'False', ...why }] },
  };
  return apiService;
}

const BETA1 = registered('v1beta1.custom.metrics.k8s.io', OURS);
const BETA2 = registered('v1beta2.custom.metrics.k8s.io', OURS);
const STRANGER = registered('v1beta1.custom.metrics.k8s.io', 'monitoring/adapter');
const DOWN = registered('v1beta2.custom.metrics.k8s.io', OURS, {
  reason: 'FailedDiscoveryCheck',
  message: 'failing or missing response from https://10.0.0.7:443',
});
const RESOURCE = registered('v1beta1.metrics.k8s.io', 'kube-system/metrics-server');
const KEDA = registered('v1alpha1.keda.sh', '');

describe('what is wrong with the APIs of the metrics', () => {
  for (const { provider, serving, metrics, problem, warning, says } of [
    { provider: 'builtin', serving: [BETA1, BETA2] },
    { provider: 'builtin', serving: [], problem: 'MetricsAPIMissing', says: /run helm upgrade/ },
    { provider: 'builtin', serving: [BETA1, DOWN], problem: 'MetricsAPIUnavailable', says: /\(FailedDiscoveryCheck\)/ },
    { provider: 'builtin', serving: [STRANGER, BETA2], warning: 'MetricsAPIContested', says: /monitoring\/adapter/ },
    { provider: 'builtin', serving: [STRANGER, RESOURCE], metrics: [CPU] },
    {
      provider: 'builtin',
      serving: [BETA2],
      metrics: [CPU],
      problem: 'ResourceMetricsMissing',
      says: /stays as it is/,
    },
    {
      provider: 'builtin',
      serving: [BETA2],
      metrics: [REQUESTS, CPU],
      problem: 'ResourceMetricsMissing',
      says: /none can remove/,
    },
    { provider: 'builtin', serving: [BETA2, RESOURCE], metrics: [REQUESTS, CPU] },
    { provider: 'prometheus-adapter', serving: [STRANGER] },
    { provider: 'prometheus-adapter', serving: [], problem: 'MetricsAPIMissing', says: /rules that the chart ships/ },
    { provider: 'keda', serving: [KEDA] },
    { provider: 'keda', serving: [BETA2], problem: 'KEDAMissing', says: /^KEDA is not installed.*stays as it is/ },
    { provider: 'keda', serving: [KEDA], metrics: [CPU], problem: 'ResourceMetricsMissing' },
    { provider: 'none', serving: undefined },
  ] as readonly {
    readonly provider: MetricsProvider;
    readonly serving: readonly ApiService[] | undefined;
    readonly metrics?: readonly ScalingMetric[];
    readonly problem?: string;
    readonly warning?: string;
    readonly says?: RegExp;
  }[]) {
    const names = serving?.map(({ metadata, spec }) => `${metadata.name} by ${spec.service?.name ?? 'itself'}`);
    const on = metrics?.map(({ type }) => type).join() ?? 'the default metric';
    it(`on ${on}, provider ${provider}, served: ${names?.join() ?? 'not known'}`, () => {
      const store = new Store<ApiService>();
      for (const apiService of serving ?? []) store.put(apiService);
      const facts = { provider, apis: serving && metricsApisOf(store, OURS) };
      const service = sampleService({ scaling: { maxReplicas: 3, ...(metrics === undefined ? {} : { metrics }) } });
      const [found, warned] = [metricsApiProblem(service, facts), metricsApiWarning(service, facts)];
      assert.deepEqual([found?.reason, warned?.reason], [problem, warning]);
      if (says !== undefined) assert.match((found ?? warned)?.message ?? '', says);
    });
  }
});
