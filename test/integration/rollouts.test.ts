import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { awaitCondition, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useStandInNode } from './support/stand-in-node.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

const HASTY = new URL('./support/hasty-operator-main.ts', import.meta.url);
const ONE = 'example.com/gpu';
const TWO = 'nvidia.com/gpu';
const THIRD = 'example.com/other-gpu';

describe('Rollouts', () => {
  const namespace = useNamespace('rollouts');
  useOperator(() => ({
    namespaces: [namespace()],
    main: HASTY,
    args: ['--server-image-tensorflow-gpu=modelservice-server:test-gpu'],
  }));
  const node = useStandInNode(namespace, { [ONE]: '1', [TWO]: '2', [THIRD]: '1' });
  const named = (name: string) => ({ namespace: namespace(), name });

  before('serve with all of the GPUs', async () => {
    await apply('single', { gpu: { count: 1, resourceName: ONE } });
    await apply('pair', { gpu: { count: 1, resourceName: TWO }, scaling: { minReplicas: 2 } });
    await rolledOut('single', 1);
    await rolledOut('pair', 2);
  });

  it('go on by replacing when there is no GPU for a pod more, and are back at surging afterwards', async () => {
    await apply('pair', { gpu: { count: 1, resourceName: TWO }, scaling: { minReplicas: 2 }, server });
    let fewest = 2;
    const seen = await eventually(
      async () => {
        fewest = Math.min(fewest, (await readyPods('pair')).length);
        await node().look(false);
        return told('pair');
      },
      { because: 'pods are replaced', until: ({ reconciling }) => reconciling === 'True ReplacingPods' },
    );
    assert.deepEqual(seen, { ready: 'True RolloutInProgress', reconciling: 'True ReplacingPods', maxSurge: 0 });
    await rolledOut('pair', 2, async () => {
      fewest = Math.min(fewest, (await readyPods('pair')).length);
    });
    assert.equal(fewest, 1, 'one pod answered all the time');
    assert.equal((await setsOf('pair')).length, 2, 'one change made one new ReplicaSet');
  });

  it('wait where the only pod would have to go, and go on when its owner allows an interruption', async () => {
    const spec = { gpu: { count: 1, resourceName: ONE }, server };
    await apply('single', spec);
    await eventually(() => told('single'), {
      because: 'it waits for a GPU',
      until: ({ reconciling }) => reconciling === 'True BlockedByCapacity',
    });
    assert.deepEqual(await told('single'), {
      ready: 'True RolloutInProgress',
      reconciling: 'True BlockedByCapacity',
      maxSurge: '25%',
    });
    assert.equal((await readyPods('single')).length, 1);
    await apply('single', { ...spec, rollout: { allowInterruption: true } });
    await rolledOut('single', 1);
    assert.equal((await setsOf('single')).length, 2);
  });

  it('that fail leave the old pods serving and say so', async () => {
    const spec = { server: { startupTimeout: '1s' }, rollout: { progressDeadline: '2s' }, pod: node().pod };
    await applyManifest(namespace(), modelService('failing', spec));
    await rolledOut('failing', 1);
    await applyManifest(namespace(), modelService('failing', { ...spec, pod: { nodeSelector: { there: 'is-none' } } }));
    await awaitCondition(named('failing'), 'Ready', 'True', 'OldRevisionServing');
    await awaitCondition(named('failing'), 'Stalled', 'True', 'Unschedulable');
    assert.equal((await readyPods('failing')).length, 1);
  });

  it('take old pods away first with Replace', async () => {
    const spec = { gpu: { count: 1, resourceName: THIRD }, rollout: { strategy: 'Replace' } };
    await apply('replaced', spec);
    await rolledOut('replaced', 1, undefined, 0);
    await apply('replaced', { ...spec, server });
    await rolledOut('replaced', 1, undefined, 0);
    assert.equal((await setsOf('replaced')).length, 2);
  });

  const server = { logLevel: 'Debug' };

  function apply(name: string, spec: Readonly<Record<string, unknown>>): Promise<string> {
    return applyManifest(namespace(), modelService(name, { ...spec, pod: node().pod }));
  }

  /** Plays the kubelet until the present spec is served by that many pods. */
  async function rolledOut(
    name: string,
    pods: number,
    observe: () => Promise<void> = async () => {},
    maxSurge: string | number = '25%',
  ): Promise<void> {
    await eventually(
      async () => {
        await node().look();
        await observe();
        const [service, ready] = await Promise.all([
          testApi().get(RESOURCES.modelServices, named(name)),
          readyPods(name),
        ]);
        const condition = conditionOf(service, 'Ready');
        return {
          serving: condition?.reason === 'Serving' && condition.observedGeneration === service.metadata.generation,
          ready: ready.length,
          maxSurge: (await told(name)).maxSurge,
        };
      },
      {
        because: `${name} is rolled out`,
        until: (found) => found.serving && found.ready === pods && found.maxSurge === maxSurge,
      },
    );
  }

  async function told(name: string) {
    const service = await testApi().get(RESOURCES.modelServices, named(name));
    const deployment = await testApi().get(RESOURCES.deployments, named(name));
    const text = (type: string) => {
      const condition = conditionOf(service, type);
      return `${condition?.status} ${condition?.reason}`;
    };
    return {
      ready: text('Ready'),
      reconciling: text('Reconciling'),
      maxSurge: field(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge'),
    };
  }

  async function readyPods(name: string) {
    const pods = await testApi().list(RESOURCES.pods, {
      namespace: namespace(),
      labelSelector: `modelservice.dev/name=${name}`,
    });
    return pods.filter(
      (pod) => pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready') !== undefined,
    );
  }

  function setsOf(name: string) {
    return testApi().list(RESOURCES.replicaSets, {
      namespace: namespace(),
      labelSelector: `modelservice.dev/name=${name}`,
    });
  }
});
