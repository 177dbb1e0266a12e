import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { horizontalPodAutoscalerOf } from './horizontal-pod-autoscaler.ts';

function specOf(scaling: NonNullable<SpecParts['scaling']>): Readonly<Record<string, unknown>> | undefined {
  return horizontalPodAutoscalerOf(sampleService({ scaling }))?.spec as Readonly<Record<string, unknown>> | undefined;
}

const cautiously = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 2, periodSeconds: 60 },
      { type: 'Percent', value: 100, periodSeconds: 60 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
  },
};

describe('horizontalPodAutoscalerOf', () => {
  it('makes none for a fixed size', () => assert.equal(specOf({ minReplicas: 3 }), undefined));

  it('scales on two requests in flight for each pod, and cautiously, where nothing is said', () => {
    assert.deepEqual(specOf({ maxReplicas: 4 }), {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mnist' },
      minReplicas: 1,
      maxReplicas: 4,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: 'modelservice_in_flight_avg15s' },
            target: { type: 'AverageValue', averageValue: '2' },
          },
        },
      ],
      behavior: cautiously,
    });
  });

  it('follows several metrics, requests under the names that the metrics API has', () => {
    const metrics = specOf({
      maxReplicas: 4,
      metrics: [
        { type: 'RequestsPerSecond', target: { averageValue: '1500m' } },
        { type: 'Cpu', target: { averageUtilization: 70 } },
      ],
    })?.metrics;
    assert.deepEqual(metrics, [
      {
        type: 'Pods',
        pods: {
          metric: { name: 'modelservice_requests_per_second_avg15s' },
          target: { type: 'AverageValue', averageValue: '1500m' },
        },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'server',
          target: { type: 'Utilization', averageUtilization: 70 },
        },
      },
    ]);
  });

  it('takes each direction as it is given, and keeps the default of the other', () => {
    const scaleDown = { stabilizationWindowSeconds: 60 };
    assert.deepEqual(specOf({ maxReplicas: 2, behavior: { scaleDown } })?.behavior, { ...cautiously, scaleDown });
  });
});
