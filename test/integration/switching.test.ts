import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { awaitMetricReads, SizeHistory } from './support/autoscaling.ts';
import { awaitCondition, awaitObject, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { createServedPods } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

/** One pod's share of requests that asks for no change: the default target. */
const AT_TARGET = 2;

interface Setting {
  readonly scaling: { readonly minReplicas: number; readonly maxReplicas?: number };
  /** What it asks for, given the size before. */
  readonly size: number;
  /** Requests in flight at each pod from then on, and the size that the autoscaler takes for them. */
  readonly load?: { readonly requests: number; readonly size: number };
}

const FIRST = { scaling: { minReplicas: 3 }, size: 3 };
const SWITCHES: readonly Setting[] = [
  { scaling: { minReplicas: 1, maxReplicas: 6 }, size: 3 },
  { scaling: { minReplicas: 5 }, size: 5 },
  { scaling: { minReplicas: 2, maxReplicas: 6 }, size: 5, load: { requests: 4, size: 6 } },
  { scaling: { minReplicas: 2 }, size: 2 },
  { scaling: { minReplicas: 4, maxReplicas: 6 }, size: 4 },
  { scaling: { minReplicas: 4 }, size: 4 },
  { scaling: { minReplicas: 1, maxReplicas: 3 }, size: 3 },
  { scaling: { minReplicas: 6 }, size: 6 },
  { scaling: { minReplicas: 1, maxReplicas: 8 }, size: 6 },
  { scaling: { minReplicas: 6 }, size: 6 },
];

describe('A ModelService that is switched between a fixed size and scaling', function () {
  this.timeout(300_000);
  const namespace = useNamespace('switching');
  useMetricsApi(namespace);
  useOperator(() => ({ namespaces: [namespace()] }));
  const ref = () => ({ namespace: namespace(), name: 'digits' });
  const pods = createServedPods(namespace);
  after(() => pods[Symbol.asyncDispose]());

  it('never has fewer pods than before and than it asks for, in ten switches with a live autoscaler', async () => {
    await applyManifest(namespace(), modelService('digits', { scaling: FIRST.scaling }));
    await serve(FIRST.size, AT_TARGET);
    await awaitCondition(ref(), 'Ready', 'True', 'Serving');
    const history = await SizeHistory.begin(ref());
    const wanted = [FIRST.size];

    for (const [index, { scaling, size, load }] of SWITCHES.entries()) {
      const since = Date.now();
      await applyManifest(namespace(), modelService('digits', { scaling }));
      await serve(size, AT_TARGET);
      wanted.push(size);
      // Until whoever sets the size now has had its say, twice where that is the autoscaler.
      if (scaling.maxReplicas === undefined) await awaitNoAutoscaler();
      else await awaitMetricReads(ref(), since, 2);
      if (load !== undefined) {
        await serve(size, load.requests);
        await serve(load.size, load.requests);
        wanted.push(load.size);
      }
      const sizes = withoutRepetition(await history.sizes());
      assert.deepEqual(sizes, withoutRepetition(wanted), `the sizes after ${index + 1} switches`);
    }

    const shrunk = withoutRepetition(wanted).flatMap((size, index, all) => {
      const before = all[index - 1] ?? 0;
      return size < before ? [`from ${before} to ${size}`] : [];
    });
    const events = await eventually(scaleDowns, {
      because: 'the scale-downs that were asked for have their events',
      until: (found) => found.length >= shrunk.length,
    });
    assert.deepEqual(events.toSorted(), shrunk.toSorted());
  });

  /** Makes the pods of that size ready, with so many requests in flight at each for long. */
  async function serve(size: number, requests: number): Promise<void> {
    await awaitObject('deployments', ref(), {
      because: `the size is ${size}`,
      until: (deployment) => field(deployment, 'spec', 'replicas') === size,
      deadlineMs: 90_000,
    });
    for (const backend of await pods.start('digits', size, requests)) backend.heldForLong(requests);
  }

  async function awaitNoAutoscaler(): Promise<void> {
    await eventually(() => testApi().find(RESOURCES.horizontalPodAutoscalers, ref()), {
      because: 'the autoscaler is gone',
      until: (autoscaler) => autoscaler === undefined,
    });
  }

  /** What the Deployment's controller said of each time that it took pods away. */
  async function scaleDowns(): Promise<readonly string[]> {
    const events = await testApi().list(RESOURCES.events, { namespace: namespace() });
    return events
      .filter(({ regarding, reason }) => field(regarding, 'kind') === 'Deployment' && reason === 'ScalingReplicaSet')
      .flatMap(({ note }) => /Scaled down replica set \S+ (from \d+ to \d+)/.exec(String(note))?.[1] ?? []);
  }
});

function withoutRepetition(sizes: readonly number[]): readonly number[] {
  return sizes.filter((size, index) => size !== sizes[index - 1]);
}
