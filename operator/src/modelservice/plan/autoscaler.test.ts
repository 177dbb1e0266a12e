import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { KubeObject } from '../../kube/types.ts';
import type { HorizontalPodAutoscaler } from '../live-objects.ts';
import type { Child } from '../observed.ts';
import type { OutsideAutoscaler } from '../outside-autoscaler.ts';
import { sampleService } from '../sample.ts';
import { autoscalerPlan, type Scaler } from './autoscaler.ts';

const KEDA: Scaler = { kind: 'keda', prometheusUrl: 'http://prometheus:9090', maxAgeMs: 90_000 };
const STOCK: Scaler = { kind: 'stock' };
const ABSENT: Child<never> = { state: 'absent' };

function object(name: string, deletionTimestamp?: string): KubeObject {
  const metadata = { name, namespace: 'vision', uid: name, resourceVersion: '1' };
  return {
    apiVersion: 'v1',
    kind: 'Any',
    metadata: deletionTimestamp === undefined ? metadata : { ...metadata, deletionTimestamp },
  };
}

const owned: Child = { state: 'owned', object: object('mnist') };
const going: Child = { state: 'owned', object: object('mnist', '2026-01-01T00:00:00Z') };
const theirs: HorizontalPodAutoscaler = object('mnist--keda');

interface Case {
  readonly title: string;
  readonly scaler: Scaler;
  readonly fixed?: boolean;
  readonly hpa?: Child;
  readonly scaledObject?: Child;
  readonly kedaHpa?: HorizontalPodAutoscaler;
  /** Whose size somebody else's autoscaler sets. */
  readonly outside?: OutsideAutoscaler['target'];
  /** Default: true. */
  readonly served?: boolean | undefined;
  readonly wanted?: string;
  readonly pruned?: readonly string[];
}

const cases: readonly Case[] = [
  { title: 'makes the stock one', scaler: STOCK, wanted: 'HorizontalPodAutoscaler' },
  { title: 'makes a ScaledObject for KEDA', scaler: KEDA, wanted: 'ScaledObject' },
  { title: 'makes no ScaledObject where KEDA is not installed', scaler: KEDA, served: false },
  {
    title: 'makes no ScaledObject before the stock one is gone, which KEDA would refuse',
    scaler: KEDA,
    hpa: owned,
    pruned: ['HorizontalPodAutoscaler mnist'],
  },
  { title: 'waits for a stock one that is being deleted', scaler: KEDA, hpa: going },
  {
    title: 'keeps a ScaledObject as it is to be',
    scaler: KEDA,
    scaledObject: owned,
    kedaHpa: theirs,
    wanted: 'ScaledObject',
  },
  {
    title: 'makes no stock one before the ScaledObject is gone',
    scaler: STOCK,
    scaledObject: owned,
    kedaHpa: theirs,
    pruned: ['ScaledObject mnist'],
  },
  { title: 'waits for a ScaledObject that KEDA has to let go', scaler: STOCK, scaledObject: going },
  { title: "waits for KEDA's autoscaler, which goes with the ScaledObject", scaler: STOCK, kedaHpa: theirs },
  {
    title: 'takes away what KEDA made before it was uninstalled, and then makes the stock one',
    scaler: STOCK,
    kedaHpa: theirs,
    served: false,
    pruned: ['HorizontalPodAutoscaler mnist--keda'],
  },
  {
    title: "leaves somebody else's ScaledObject alone",
    scaler: STOCK,
    scaledObject: { state: 'foreign', object: object('mnist') },
    wanted: 'HorizontalPodAutoscaler',
  },
  {
    title: "takes the stock one away where somebody else's sets the Deployment's size",
    scaler: STOCK,
    hpa: owned,
    outside: 'Deployment',
    pruned: ['HorizontalPodAutoscaler mnist'],
  },
  {
    title: "takes the ScaledObject away where somebody else's sets the Deployment's size",
    scaler: KEDA,
    scaledObject: owned,
    outside: 'Deployment',
    pruned: ['ScaledObject mnist'],
  },
  {
    title: "keeps the stock one where somebody else's scales the ModelService, whose bounds nobody else carries out",
    scaler: STOCK,
    hpa: owned,
    outside: 'ModelService',
    wanted: 'HorizontalPodAutoscaler',
  },
  {
    title: 'prunes either for a fixed size',
    scaler: KEDA,
    fixed: true,
    hpa: owned,
    scaledObject: owned,
    pruned: ['HorizontalPodAutoscaler mnist', 'ScaledObject mnist'],
  },
];

describe('autoscalerPlan', () => {
  for (const {
    title,
    scaler,
    fixed,
    hpa,
    scaledObject,
    kedaHpa,
    outside,
    served = true,
    wanted,
    pruned = [],
  } of cases) {
    it(title, () => {
      const service = sampleService(fixed === true ? {} : { scaling: { maxReplicas: 3 } });
      const observed = {
        autoscaler: (hpa ?? ABSENT) as Child<HorizontalPodAutoscaler>,
        scaledObject: scaledObject ?? ABSENT,
        kedaAutoscaler: kedaHpa,
        kedaServed: served,
        outsideAutoscaler: outside && ({ kind: 'HorizontalPodAutoscaler', name: 'theirs', target: outside } as const),
      };
      const planned = autoscalerPlan(service, observed, scaler, false);
      assert.equal(planned.wanted?.intent.kind, wanted);
      assert.deepEqual(
        planned.prune.map(({ type, object: { metadata } }) => `${type.kind} ${metadata.name}`),
        pruned,
      );
    });
  }
});
