import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { horizontalPodAutoscalerOf } from './horizontal-pod-autoscaler.ts';

function specOf(
  scaling: NonNullable<SpecParts['scaling']>,
  batching?: SpecParts['batching'],
): Readonly<Record<string, unknown>> | undefined {
  const service = sampleService({ scaling, batching });
  return horizontalPodAutoscalerOf(service)?.spec as Readonly<Record<string, unknown>> | undefined;
}

describe('horizontalPodAutoscalerOf', () => {
  let defaults: { readonly behavior: object };
  before(async () => {
    defaults = JSON.parse(await readFile(join(import.meta.dirname, 'fixtures/default-autoscaler.json'), 'utf8'));
  });

  it('makes none for a fixed size', () => assert.equal(specOf({ minReplicas: 3 }), undefined));

  it('is fixtures/default-autoscaler.json where nothing is said: requests in flight, and time for pods to load', () => {
    assert.deepEqual(specOf({ maxReplicas: 4 }), defaults);
  });

  it('keeps at least one pod where the least is 0, which a stock autoscaler does not have', () =>
    assert.equal(specOf({ minReplicas: 0, maxReplicas: 4, idleAfter: '10m' })?.minReplicas, 1));

  for (const [maxBatchSize, averageValue] of [
    [32, '44800m'],
    [2, '2800m'],
    [10, '14'],
    [1024, '1433600m'],
  ] as const) {
    it(`aims at 70 % of two batches of ${maxBatchSize}: ${averageValue} requests in flight`, () => {
      const metrics = specOf({ maxReplicas: 4 }, { maxBatchSize, maxDelay: '2ms', maxQueueSize: 2048 })?.metrics;
      const target = { type: 'AverageValue', averageValue };
      assert.deepEqual(metrics, [
        { type: 'Pods', pods: { metric: { name: 'modelservice_in_flight_avg15s' }, target } },
      ]);
    });
  }

  it('follows several metrics, requests under the names that the metrics API has', () => {
    const metrics = specOf({
      maxReplicas: 4,
      metrics: [
        { type: 'RequestsPerSecond', target: { averageValue: '1500m' } },
        { type: 'QueueDepth', target: { averageValue: 3 } },
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
        type: 'Pods',
        pods: {
          metric: { name: 'modelservice_queued_avg15s' },
          target: { type: 'AverageValue', averageValue: '3' },
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
    assert.deepEqual(specOf({ maxReplicas: 2, behavior: { scaleDown } })?.behavior, {
      ...defaults.behavior,
      scaleDown,
    });
  });
});
