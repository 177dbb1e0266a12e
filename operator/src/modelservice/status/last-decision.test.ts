import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { HorizontalPodAutoscaler, StatusCondition } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { OWNED_REPLICAS, readyPod, sampleDeployment, sampleService } from '../sample.ts';
import type { ScalingDecision } from '../types.generated.ts';
import { type LastDecisionInput, lastDecisionOf } from './last-decision.ts';

const TIME = '2026-01-01T00:00:00Z';
const rescaled: StatusCondition = { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale' };
const ready: StatusCondition = { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' };

function reading(source: string): StatusCondition {
  const message = `the HPA was able to successfully calculate a replica count from ${source}`;
  return { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message };
}

function limited(status: string, reason: string): StatusCondition {
  return { type: 'ScalingLimited', status, reason };
}

function autoscaler(status: HorizontalPodAutoscaler['status']): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'mnist', namespace: 'vision', uid: 'u', resourceVersion: '1' },
    spec: { minReplicas: 1, maxReplicas: 5 },
    status: { lastScaleTime: TIME, ...status },
  };
}

function inputOf(service: ModelService, hpa?: HorizontalPodAutoscaler): LastDecisionInput {
  return { service, autoscaler: hpa, deployment: sampleDeployment(), pods: [], now: Date.UTC(2026, 0, 2, 12) };
}

const atZero = sampleDeployment({
  replicas: 0,
  managedFields: OWNED_REPLICAS,
  annotations: { 'modelservice.dev/idle-since': '2026-01-02T00:00:00.250Z' },
});

const IN_FLIGHT = reading('pods metric modelservice_in_flight_avg15s');
const before: ScalingDecision = { time: '2025-12-31T00:00:00Z', from: 2, to: 1, reason: 'MetricBelowTarget' };

describe('the last decision', () => {
  for (const { title, status, expected } of [
    {
      title: 'names the metric that asked for more',
      status: { currentReplicas: 1, desiredReplicas: 3, conditions: [rescaled, IN_FLIGHT] },
      expected: { time: TIME, from: 1, to: 3, reason: 'MetricAboveTarget', metric: 'InFlightRequests' },
    },
    {
      title: 'names the CPU use that asked for less',
      status: {
        currentReplicas: 3,
        desiredReplicas: 2,
        conditions: [rescaled, reading('cpu container resource utilization (percentage of request)')],
      },
      expected: { time: TIME, from: 3, to: 2, reason: 'MetricBelowTarget', metric: 'Cpu' },
    },
    {
      title: "names the metric of KEDA's numbered trigger",
      status: {
        currentReplicas: 1,
        desiredReplicas: 2,
        conditions: [
          rescaled,
          reading('external metric s0-prometheus(&LabelSelector{MatchLabels:map[string]string{},})'),
        ],
      },
      expected: { time: TIME, from: 1, to: 2, reason: 'MetricAboveTarget', metric: 'InFlightRequests' },
    },
    ...(
      [
        ['TooManyReplicas', 'maxReplicas'],
        ['TooFewReplicas', 'minReplicas'],
        ['ScaleUpLimit', 'behavior.scaleUp'],
        ['ScaleDownLimit', 'behavior.scaleDown'],
      ] as const
    ).map(([reason, limitedBy]) => ({
      title: `says that ${limitedBy} kept it smaller (${reason})`,
      status: { currentReplicas: 2, desiredReplicas: 5, conditions: [rescaled, IN_FLIGHT, limited('True', reason)] },
      expected: { time: TIME, from: 2, to: 5, reason: 'MetricAboveTarget', metric: 'InFlightRequests', limitedBy },
    })),
    {
      title: 'is not limited where the autoscaler says so',
      status: {
        currentReplicas: 1,
        desiredReplicas: 2,
        conditions: [rescaled, IN_FLIGHT, limited('False', 'DesiredWithinRange')],
      },
      expected: { time: TIME, from: 1, to: 2, reason: 'MetricAboveTarget', metric: 'InFlightRequests' },
    },
    {
      title: 'is of a lowered maxReplicas, whatever the metrics said before',
      status: { currentReplicas: 8, desiredReplicas: 5, conditions: [rescaled, IN_FLIGHT] },
      expected: { time: TIME, from: 8, to: 5, reason: 'AboveMaxReplicas' },
    },
    {
      title: 'is of a raised minReplicas, whatever the metrics said before',
      status: { currentReplicas: 0, desiredReplicas: 1, conditions: [rescaled, IN_FLIGHT] },
      expected: { time: TIME, from: 0, to: 1, reason: 'BelowMinReplicas' },
    },
    {
      title: 'leaves out what only the status of that moment told',
      status: {
        currentReplicas: 3,
        desiredReplicas: 3,
        conditions: [ready, IN_FLIGHT, limited('True', 'TooManyReplicas')],
      },
      expected: { time: TIME, to: 3 },
    },
    {
      title: 'stays while the autoscaler makes no other',
      status: { lastScaleTime: before.time, currentReplicas: 3, desiredReplicas: 3, conditions: [ready, IN_FLIGHT] },
      expected: before,
    },
  ]) {
    it(title, () => {
      const service = sampleService(
        { scaling: { maxReplicas: 5 } },
        { scaling: { state: 'Autoscaled', lastDecision: before } },
      );
      assert.deepEqual(lastDecisionOf(inputOf(service, autoscaler(status))), expected);
    });
  }

  it('stays while there is no autoscaler for a moment, and goes with the range', () => {
    const status = { scaling: { state: 'Autoscaled', lastDecision: before } } as const;
    assert.deepEqual(lastDecisionOf(inputOf(sampleService({ scaling: { maxReplicas: 5 } }, status))), before);
    assert.equal(lastDecisionOf(inputOf(sampleService({}, status))), undefined);
  });

  const idle: ScalingDecision = { time: '2026-01-02T00:00:00Z', from: 2, to: 0, reason: 'Idle' };
  const woken: ScalingDecision = { time: '2026-01-02T12:00:00Z', from: 0, to: 1, reason: 'Woken' };
  it('counts the pods where the status has not counted them yet', () => {
    const service = sampleService({ scaling: { minReplicas: 0, maxReplicas: 5, idleAfter: '10m' } });
    const { from, to } = lastDecisionOf({ ...inputOf(service), deployment: atZero, pods: [readyPod('p')] }) ?? {};
    assert.deepEqual([from, to], [1, 0]);
  });

  const later: ScalingDecision = { time: '2026-01-03T00:00:00Z', to: 3 };
  for (const { title, told, replicas, lastScaleTime = TIME, expected } of [
    { title: 'tells that nobody asked', told: before, replicas: 0, expected: idle },
    { title: 'keeps saying so', told: idle, replicas: 0, expected: idle },
    { title: 'tells that pods are wanted again', told: idle, replicas: 1, expected: woken },
    { title: 'is not the autoscaler’s of before', told: woken, replicas: 1, expected: woken },
    {
      title: 'is the autoscaler’s once it has changed the size since',
      told: woken,
      replicas: 3,
      lastScaleTime: later.time,
      expected: later,
    },
  ]) {
    it(`${title}, of a service that may go to zero`, () => {
      const scaling = { minReplicas: 0, maxReplicas: 5, idleAfter: '10m' };
      const service = sampleService({ scaling }, { replicas: 2, scaling: { state: 'Autoscaled', lastDecision: told } });
      const deployment = { ...atZero, spec: { ...atZero.spec, replicas } };
      const hpa = autoscaler({ lastScaleTime, desiredReplicas: 3, conditions: [ready] });
      assert.deepEqual(lastDecisionOf({ ...inputOf(service, hpa), deployment }), expected);
    });
  }
});
