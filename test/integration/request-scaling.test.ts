import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { failedReads, metricValues } from './support/autoscaling.ts';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { startHung, startTelemetry } from './support/metrics-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { createServedPods, METRICS_PORT } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

describe('A ModelService under load', function () {
  // The metrics are means of 15 s, and the autoscaler looks every other second here.
  this.timeout(180_000);
  const namespace = useNamespace('request-scaling');
  useMetricsApi(namespace);
  useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });

  const pods = createServedPods(namespace);
  const { serve } = pods;
  after(() => pods[Symbol.asyncDispose]());

  async function awaitSize(name: string, size: number, because: string): Promise<void> {
    await awaitObject('deployments', named(name), {
      because,
      until: (object) => field(object, 'spec', 'replicas') === size,
      deadlineMs: 90_000,
    });
  }

  it('goes from one pod to its most and back, by a stock HorizontalPodAutoscaler', async () => {
    await applyManifest(
      namespace(),
      modelService('digits', {
        scaling: { maxReplicas: 3, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
      }),
    );
    await serve('digits', 1, 0);
    await awaitObject('horizontalPodAutoscalers', named('digits'), {
      because: 'the autoscaler reads the metric',
      until: (object) => conditionStatus(object.status, 'ScalingActive') === 'True',
      deadlineMs: 60_000,
    });
    await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'MetricsRead');
    const since = Date.now();

    await serve('digits', 1, 9);
    await awaitSize('digits', 3, 'nine requests in flight ask for the most, 3 pods');
    await serve('digits', 3, 9);
    await eventually(() => metricValues(named('digits')), {
      because: 'each of three pods has three in flight',
      until: (values) => values.length === 3 && values.every((value) => Math.abs(value - 3) < 0.3),
      deadlineMs: 60_000,
      intervalMs: 500,
    });
    assert.equal(field(await testApi().get(RESOURCES.deployments, named('digits')), 'spec', 'replicas'), 3);
    await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'LimitedByMaxReplicas');
    const up = await awaitDecision('digits', 3);
    assert.partialDeepStrictEqual(up, { reason: 'MetricAboveTarget', metric: 'InFlightRequests' });
    assert.ok(up.from === 1 || up.from === 2, 'the mean rises, so that there may have been a step in between');

    pods.holdEach(0);
    await awaitSize('digits', 1, 'without load there is one pod');
    await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'MetricsRead');
    const { time, ...down } = await awaitDecision('digits', 1);
    assert.partialDeepStrictEqual(down, { reason: 'MetricBelowTarget', metric: 'InFlightRequests' });
    const scaler = await testApi().get(RESOURCES.horizontalPodAutoscalers, named('digits'));
    assert.equal(time, scaler.status?.lastScaleTime);
    assert.deepEqual(
      await failedReads(named('digits'), since),
      [],
      'the autoscaler could read its metric at all times',
    );
  });

  it('is not made smaller because a pod hangs', async () => {
    await applyManifest(
      namespace(),
      modelService('stuck', {
        scaling: { minReplicas: 2, maxReplicas: 3, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
      }),
    );
    const [first, second] = await awaitPods(namespace(), 'stuck', 2);
    assert.ok(first && second);
    await using hung = await startHung({ host: pods.address(101), port: METRICS_PORT });
    await using busy = await startTelemetry({ host: pods.address(102), port: METRICS_PORT });
    busy.hold(5);
    await reportReady(first, hung.host);
    await reportReady(second, busy.host);
    await awaitSize(
      'stuck',
      3,
      'five in flight at the one pod that answers ask for a third, the one that hangs being idle',
    );
    assert.deepEqual((await metricValues(named('stuck'))).length, 1);
  });

  it('follows the metric that asks for the most, where there are several', async () => {
    const asking = (inFlight: string, perSecond: string) => ({
      scaling: {
        maxReplicas: 3,
        metrics: [
          { type: 'InFlightRequests', target: { averageValue: inFlight } },
          { type: 'RequestsPerSecond', target: { averageValue: perSecond } },
        ],
      },
    });
    // Each is asked for far more by the one metric than by the other.
    await applyManifest(namespace(), modelService('busy', asking('3', '1000')));
    await applyManifest(namespace(), modelService('asked', asking('1000', '100m')));
    await pods.start('busy', 1, 9);
    const [asked] = await pods.start('asked', 1);
    assert.ok(asked);
    await eventually(() => testApi().get(RESOURCES.deployments, named('asked')), {
      because: 'nine requests with each look are far more than one in ten seconds',
      until: (deployment) => {
        asked.hold(0);
        asked.hold(9);
        return field(deployment, 'spec', 'replicas') === 3;
      },
      deadlineMs: 90_000,
    });
    await awaitSize('busy', 3, 'nine requests in flight ask for 3 pods');
    assert.partialDeepStrictEqual(await awaitDecision('asked', 3), { from: 1, metric: 'RequestsPerSecond' });
    assert.partialDeepStrictEqual(await awaitDecision('busy', 3), { from: 1, metric: 'InFlightRequests' });
  });

  /** Waits until the decision for that size is in status. */
  async function awaitDecision(name: string, to: number): Promise<Readonly<Record<string, unknown>>> {
    const object = await awaitObject('modelServices', named(name), {
      because: `the last decision is one for ${to}`,
      until: ({ status }) => field(status, 'scaling', 'lastDecision', 'to') === to,
    });
    return field(object, 'status', 'scaling', 'lastDecision') as Readonly<Record<string, unknown>>;
  }
});

describe('A ModelService where nobody serves the custom metrics API', () => {
  const namespace = useNamespace('no-metrics-api');
  useOperator(() => ({ namespaces: [namespace()] }));

  it('keeps its size and says what to look at', async () => {
    await applyManifest(namespace(), modelService('digits', { scaling: { maxReplicas: 3 } }));
    const [pod] = await awaitPods(namespace(), 'digits', 1);
    assert.ok(pod);
    await reportReady(pod);
    const ref = { namespace: namespace(), name: 'digits' };
    const object = await awaitCondition(ref, 'AutoscalingActive', 'False', 'MetricsMissing', 60_000);
    assert.match(
      conditionOf(object, 'AutoscalingActive')?.message ?? '',
      /kubectl get apiservice v1beta2\.custom\.metrics\.k8s\.io/,
    );
    assert.equal(field(await testApi().get(RESOURCES.deployments, ref), 'spec', 'replicas'), 1);
  });
});

function conditionStatus(status: unknown, type: string): string | undefined {
  const conditions = (field(status, 'conditions') ?? []) as readonly {
    readonly type: string;
    readonly status: string;
  }[];
  return conditions.find((condition) => condition.type === type)?.status;
}
