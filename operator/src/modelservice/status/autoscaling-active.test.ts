import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { HorizontalPodAutoscaler, Pod, StatusCondition } from '../live-objects.ts';
import { type SpecParts, sampleDeployment, sampleService } from '../sample.ts';
import { statusOf } from './status.ts';

function autoscaler(
  status: string,
  reason: string,
  message: string,
  further: readonly StatusCondition[] = [],
): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'mnist', namespace: 'vision', uid: 'u', resourceVersion: '1' },
    status: { conditions: [{ type: 'ScalingActive', status, reason, message }, ...further] },
  };
}

const unread = autoscaler('False', 'FailedGetPodsMetric', 'no metrics API registered');
const scaled: SpecParts = { scaling: { maxReplicas: 3 } };

const waitingPod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'mnist-1', namespace: 'vision', uid: 'p', resourceVersion: '1' },
  spec: { containers: [] },
  status: {
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
      },
    ],
  },
};

describe('AutoscalingActive', () => {
  for (const { title, spec, hpa, ready, expected, says } of [
    { title: 'a fixed size', spec: {}, hpa: undefined, ready: 1, expected: undefined },
    { title: 'an autoscaler that has not looked', spec: scaled, hpa: undefined, ready: 1, expected: undefined },
    {
      title: 'an autoscaler that reads its metrics',
      spec: scaled,
      hpa: autoscaler('True', 'ValidMetricFound', 'the HPA was able to'),
      ready: 1,
      expected: 'True MetricsRead',
    },
    {
      title: 'an autoscaler that wants more than it may have',
      spec: scaled,
      hpa: autoscaler('True', 'ValidMetricFound', 'x', [
        { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas' },
      ]),
      ready: 1,
      expected: 'True LimitedByMaxReplicas',
      says: /more pods than spec\.scaling\.maxReplicas/,
    },
    { title: 'pods that all load', spec: scaled, hpa: unread, ready: 0, expected: 'False NothingToMeasure' },
    {
      title: 'request metrics that nobody serves',
      spec: scaled,
      hpa: unread,
      ready: 1,
      expected: 'False MetricsMissing',
      says: /kubectl get apiservice v1beta2.*no metrics API registered/,
    },
    {
      title: 'pods of which none tells its metrics',
      spec: scaled,
      hpa: autoscaler(
        'False',
        'FailedGetPodsMetric',
        'unable to get metric x: no metrics returned from custom metrics API',
      ),
      ready: 1,
      expected: 'False PodsSilent',
      says: /8082/,
    },
    {
      title: 'a CPU use that nobody serves',
      spec: scaled,
      hpa: autoscaler('False', 'FailedGetContainerResourceMetric', 'x'),
      ready: 1,
      expected: 'False MetricsMissing',
      says: /install metrics-server/,
    },
    {
      title: 'a suspended service',
      spec: { ...scaled, suspend: true },
      hpa: autoscaler('False', 'ScalingDisabled', 'x'),
      ready: 0,
      expected: 'False ScalingPaused',
    },
  ]) {
    it(`of ${title} is ${expected ?? 'absent'}`, () => {
      const deployment = sampleDeployment({
        replicas: 1,
        status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: ready },
      });
      const { status } = statusOf(
        {
          service: sampleService(spec),
          deployment,
          deploymentChanged: false,
          pods: [],
          problems: [],
          now: 0,
          autoscaler: hpa,
        },
        new Map(),
      );
      const found = status.conditions?.find(({ type }) => type === 'AutoscalingActive');
      assert.equal(found && `${found.status} ${found.reason}`, expected);
      if (says !== undefined) assert.match(found?.message ?? '', says);
    });
  }

  for (const { title, ready, reason, expected, says } of [
    {
      title: 'a ScaledObject that KEDA refuses',
      ready: 0,
      reason: 'ScaledObjectCheckFailed',
      expected: 'KEDANotReady',
      says: /ScaledObject mnist: no such Prometheus/,
    },
    {
      title: 'a ScaledObject whose trigger fails while pods answer',
      ready: 1,
      reason: 'TriggerError',
      expected: 'KEDANotReady',
      says: /no such Prometheus/,
    },
    {
      title: 'a ScaledObject whose trigger fails while no pod answers',
      ready: 0,
      reason: 'TriggerError',
      expected: 'NothingToMeasure',
      says: /No pod answers yet/,
    },
    {
      title: 'a ScaledObject that is ready, whose autoscaler cannot read',
      ready: 1,
      reason: undefined,
      expected: 'MetricsMissing',
      says: /KEDA cannot read the request metrics: see that metrics\.prometheusUrl/,
    },
  ]) {
    it(`of ${title} is False ${expected}`, () => {
      const refused = { type: 'Ready', status: 'False', message: 'no such Prometheus' };
      const { status } = statusOf(
        {
          service: sampleService(scaled),
          deployment: sampleDeployment({
            replicas: 1,
            status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: ready },
          }),
          deploymentChanged: false,
          pods: [],
          problems: [],
          now: 0,
          autoscaler: autoscaler('False', 'FailedGetExternalMetric', 'x'),
          scaledObject: {
            apiVersion: 'keda.sh/v1alpha1',
            kind: 'ScaledObject',
            metadata: { name: 'mnist', namespace: 'vision', uid: 's', resourceVersion: '1' },
            status: { conditions: reason === undefined ? [] : [{ ...refused, reason }] },
          },
        },
        new Map(),
      );
      const found = status.conditions?.find(({ type }) => type === 'AutoscalingActive');
      assert.equal(`${found?.status} ${found?.reason}`, `False ${expected}`);
      assert.match(found?.message ?? '', says);
    });
  }

  for (const { title, replicas, updatedReplicas, expected, says } of [
    {
      title: 'a pod that the autoscaler wants and no node can take',
      replicas: 3,
      updatedReplicas: 3,
      expected: 'True Unschedulable',
      says: /wants more pods than answer\. No node can take a pod: 0\/1 nodes are available: 1 Insufficient nvidia\.com\/gpu/,
    },
    {
      title: 'a pod of a rollout that no node can take',
      replicas: 3,
      updatedReplicas: 1,
      expected: 'True LimitedByMaxReplicas',
      says: /maxReplicas/,
    },
    {
      title: 'a pod that no node can take while as many answer as are wanted',
      replicas: 2,
      updatedReplicas: 2,
      expected: 'True LimitedByMaxReplicas',
      says: /maxReplicas/,
    },
  ]) {
    it(`of ${title} is ${expected}`, () => {
      const atMost = { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas' };
      const { status } = statusOf(
        {
          service: sampleService(scaled),
          deployment: sampleDeployment({
            replicas,
            status: { observedGeneration: 2, replicas, updatedReplicas, readyReplicas: 2 },
          }),
          deploymentChanged: false,
          pods: [waitingPod],
          problems: [],
          now: 0,
          autoscaler: autoscaler('True', 'ValidMetricFound', 'x', [atMost]),
        },
        new Map(),
      );
      const found = status.conditions?.find(({ type }) => type === 'AutoscalingActive');
      assert.equal(`${found?.status} ${found?.reason}`, expected);
      assert.match(found?.message ?? '', says);
    });
  }
});
