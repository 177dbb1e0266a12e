import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, describe, it } from 'mocha';
import { awaitCondition, conditionOf } from './support/children.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { type LoadedBackend, startTelemetry } from './support/metrics-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import type { NewObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const METRICS_PORT = 8082;
const CPU = { type: 'Cpu', target: { averageUtilization: 80 } };
const REQUESTS = { type: 'InFlightRequests', target: { averageValue: 2 } };
const WITH_CPU_REQUEST = { server: { resources: { requests: { cpu: '100m' } } } };

describe('The APIs that autoscalers read', () => {
  describe('where nobody serves them', () => {
    const namespace = useNamespace('apis-missing');
    useOperator(() => ({ namespaces: [namespace()], metrics: { provider: 'builtin' } }));
    const named = (name: string) => ({ namespace: namespace(), name });
    const says = async (name: string, reason: string): Promise<string> =>
      conditionOf(await awaitCondition(named(name), 'AutoscalingActive', 'False', reason), 'AutoscalingActive')
        ?.message ?? '';

    it('are said to be missing, one that does not answer with who it leads to, as they come and go', async () => {
      await applyManifest(namespace(), modelService('digits', { scaling: { maxReplicas: 3 } }));
      assert.match(await says('digits', 'MetricsAPIMissing'), /custom\.metrics\.k8s\.io.*helm upgrade/);
      const name = 'v1beta1.custom.metrics.k8s.io';
      await testApi().create(RESOURCES.apiServices, strangersApi(name, namespace()));
      try {
        assert.match(
          await says('digits', 'MetricsAPIUnavailable'),
          /APIService v1beta1\.custom\.metrics\.k8s\.io is not available \(.*adapter.*\)/,
        );
      } finally {
        await testApi().delete(RESOURCES.apiServices, { name });
      }
      await says('digits', 'MetricsAPIMissing');
    });

    it('say what Cpu needs', async () => {
      await applyManifest(
        namespace(),
        modelService('busy', { ...WITH_CPU_REQUEST, scaling: { maxReplicas: 3, metrics: [CPU] } }),
      );
      assert.match(await says('busy', 'ResourceMetricsMissing'), /install metrics-server.*The size stays as it is/);
    });

    it('are nothing to a service of a fixed size', async () => {
      await applyManifest(namespace(), modelService('fixed'));
      const object = await awaitCondition(named('fixed'), 'Stalled', 'False', 'NotStalled');
      assert.equal(conditionOf(object, 'AutoscalingActive'), undefined);
    });
  });

  describe('where the builtin one is served', function () {
    this.timeout(120_000);
    const namespace = useNamespace('apis-builtin');
    const metricsApi = useMetricsApi(namespace);
    useOperator(() => ({
      namespaces: [namespace()],
      metrics: { provider: 'builtin' },
      args: [`--metrics-api-service=${namespace()}/${metricsApi().name}`],
    }));
    const ref = () => ({ namespace: namespace(), name: 'digits' });
    const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.1`;
    let backend: LoadedBackend | undefined;
    after(async () => await backend?.[Symbol.asyncDispose]());

    it('are said to be contested when a stranger takes over a version after the installation', async () => {
      await applyManifest(namespace(), modelService('digits', { scaling: { maxReplicas: 3 } }));
      const [pod] = await awaitPods(namespace(), 'digits', 1);
      assert.ok(pod);
      backend = await startTelemetry({ host, port: METRICS_PORT });
      await reportReady(pod, host);
      await awaitCondition(ref(), 'AutoscalingActive', 'True', 'MetricsRead', 60_000);

      const name = { name: 'v1beta1.custom.metrics.k8s.io' };
      const { spec } = await testApi().get(RESOURCES.apiServices, name);
      const stranger = { ...(spec?.service as object), name: 'adapter' };
      await testApi().mergePatch(RESOURCES.apiServices, name, { spec: { service: stranger } });
      const object = await awaitCondition(ref(), 'AutoscalingActive', 'True', 'MetricsAPIContested', 30_000);
      const message = conditionOf(object, 'AutoscalingActive')?.message ?? '';
      assert.ok(message.includes(`leads to Service ${namespace()}/adapter`), message);

      await testApi().mergePatch(RESOURCES.apiServices, name, { spec: { service: spec?.service } });
      await awaitCondition(ref(), 'AutoscalingActive', 'True', 'MetricsRead', 30_000);
    });

    it('say what Cpu needs, also beside a metric that is read', async () => {
      const metrics = [REQUESTS, CPU];
      await applyManifest(
        namespace(),
        modelService('both', { ...WITH_CPU_REQUEST, scaling: { maxReplicas: 3, metrics } }),
      );
      const both = { namespace: namespace(), name: 'both' };
      const object = await awaitCondition(both, 'AutoscalingActive', 'False', 'ResourceMetricsMissing');
      assert.match(
        conditionOf(object, 'AutoscalingActive')?.message ?? '',
        /Until then the other metrics can add pods and none can remove any/,
      );
    });
  });
});

function strangersApi(name: string, namespace: string): NewObject {
  const [version = '', ...group] = name.split('.');
  return {
    metadata: { name },
    spec: {
      group: group.join('.'),
      version,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { namespace, name: 'adapter' },
    },
  };
}
