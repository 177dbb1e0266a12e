import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { scaledObjectOf } from './scaled-object.ts';

const SETTINGS = { prometheusUrl: 'http://prometheus:9090', maxAgeMs: 90_000 };

interface Trigger {
  readonly type: string;
  readonly metricType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function made(scaling: NonNullable<SpecParts['scaling']>, pauses = false) {
  const intent = scaledObjectOf(sampleService({ scaling }), SETTINGS, pauses);
  return { intent, spec: intent?.spec as { readonly [field: string]: unknown; readonly triggers: readonly Trigger[] } };
}

describe('scaledObjectOf', () => {
  it('makes none for a fixed size', () => assert.equal(made({ minReplicas: 3 }).intent, undefined));

  it('names its autoscaler, keeps one pod at least, and leaves zero to the gateway', () => {
    const { spec } = made({ minReplicas: 0, maxReplicas: 4, idleAfter: '10m' });
    const { minReplicaCount, maxReplicaCount, idleReplicaCount, advanced } = spec;
    assert.deepEqual([minReplicaCount, maxReplicaCount, idleReplicaCount], [1, 4, undefined]);
    const config = (advanced as { readonly horizontalPodAutoscalerConfig: { readonly name: string } })
      .horizontalPodAutoscalerConfig;
    assert.equal(config.name, 'mnist--keda');
  });

  for (const pauses of [true, false]) {
    it(`is ${pauses ? 'paused while there are to be no pods' : 'not paused otherwise'}`, () => {
      const annotations = made({ maxReplicas: 4 }, pauses).intent?.metadata.annotations;
      assert.deepEqual(annotations, pauses ? { 'autoscaling.keda.sh/paused': 'true' } : undefined);
    });
  }

  for (const [averageValue, threshold] of [
    ['1500m', '1.5'],
    [3, '3'],
    ['2k', '2000'],
  ] as const) {
    it(`writes the target ${averageValue} as ${threshold}, as KEDA reads numbers`, () => {
      const metrics = [{ type: 'QueueDepth', target: { averageValue } }] as const;
      const [trigger] = made({ maxReplicas: 4, metrics }).spec.triggers;
      assert.equal(trigger?.metricType, 'AverageValue');
      assert.equal(trigger.metadata.threshold, threshold);
    });
  }

  it('takes the absence of series for an error, and asks for what is fresh of this service alone', () => {
    const [trigger] = made({ maxReplicas: 4 }).spec.triggers;
    const { query = '', ignoreNullValues, serverAddress } = trigger?.metadata ?? {};
    assert.deepEqual([ignoreNullValues, serverAddress], ['false', SETTINGS.prometheusUrl]);
    const series = 'modelservice_in_flight_avg15s{namespace="vision",pod=~"mnist-[a-z0-9]+-[a-z0-9]+"}';
    assert.ok(query.includes(`(${series} and time() - timestamp(${series}) <= 90)`), query);
  });

  it('follows the CPU use of the server alone', () => {
    const { triggers } = made({ maxReplicas: 4, metrics: [{ type: 'Cpu', target: { averageUtilization: 70 } }] }).spec;
    assert.deepEqual(triggers, [
      { type: 'cpu', metricType: 'Utilization', metadata: { value: '70', containerName: 'server' } },
    ]);
  });
});
