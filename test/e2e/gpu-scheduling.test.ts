import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { PAUSE_IMAGE } from '../cluster/node/node-cluster.ts';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { useInstalledChart } from './support/installed-chart.ts';
import { conditionOf, getModelService, hasCondition, podsOf } from './support/observed.ts';

describe('a ModelService with a GPU on a node that advertises two', () => {
  useInstalledChart();
  const namespace = useNamespace('gpu');
  const vision = () => ({ namespace: namespace(), name: 'vision' });

  before(() => {
    // There is no device behind the node's number, so what runs here is an image that only waits.
    const spec = { gpu: { count: 1 }, scaling: { minReplicas: 3 }, server: { image: PAUSE_IMAGE } };
    return applyManifest(namespace(), modelService('vision', spec));
  });

  it('gets a GPU for each of two pods, and the third waits', async () => {
    const pods = await eventually(() => podsOf(vision()), {
      because: 'two pods have a node and the third has none',
      until: (all) => all.length === 3 && all.filter((pod) => hasCondition(pod, 'PodScheduled')).length === 2,
    });
    const waiting = pods.filter(({ spec }) => spec.nodeName === undefined);
    assert.equal(waiting.length, 1);
  });

  it('says that a pod waits, and for what', async () => {
    const service = await eventually(() => getModelService(vision()), {
      because: 'the ModelService tells of the pod that waits',
      until: (found) => conditionOf(found, 'Ready')?.reason === 'Unschedulable',
    });
    assert.match(conditionOf(service, 'Ready')?.message ?? '', /Insufficient nvidia\.com\/gpu/);
  });

  it('stops saying so when it wants no more than there are', async () => {
    await kubectl(['scale', 'modelservice', 'vision', '--replicas=2', '--namespace', namespace()]);
    await eventually(() => getModelService(vision()), {
      because: 'no condition tells of a pod that waits',
      until: ({ status }) => status?.conditions?.every(({ reason }) => reason !== 'Unschedulable') ?? false,
    });
    const pods = (await podsOf(vision())).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    assert.equal(pods.filter(({ spec }) => spec.nodeName !== undefined).length, 2);
  });
});
