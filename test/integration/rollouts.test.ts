import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { before, describe, it } from 'mocha';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
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

/** Two servers, each of which tells another digest of its model. */
async function startContent() {
  // An address of this machine for each, at the port where the operator asks.
  const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const address = (index: number): string => `${block}.${index}`;
  const digest = (index: number): string => `sha256:${String(index).repeat(64)}`;
  const servers = await Promise.all(
    [1, 2].map(async (index) => {
      const answer = JSON.stringify({ parameters: { digest: digest(index) } });
      const listening = createServer((_request, response) => response.end(answer));
      await once(listening.listen(8080, address(index)), 'listening');
      return listening;
    }),
  );
  return {
    address,
    digest,
    async [Symbol.asyncDispose]() {
      for (const listening of servers) {
        listening.closeAllConnections();
        listening.close();
      }
    },
  };
}

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

  it('tell the revision that is wanted, the one that answers, and a pod with other content', async () => {
    await using content = await startContent();
    const ref = named('content');
    await applyManifest(namespace(), modelService('content'));
    const [first] = await awaitPods(namespace(), 'content', 1);
    assert.ok(first);
    await reportReady(first, content.address(1));
    const loaded = await awaitObject('modelServices', ref, {
      because: 'the content of the first pod is recorded',
      until: (found) => field(found, 'status', 'revision', 'digest') !== undefined,
    });
    const revision = first.metadata.labels?.['modelservice.dev/revision'];
    assert.deepEqual(loaded.status?.revision, { wanted: revision, ready: revision, digest: content.digest(1) });

    await kubectl(['scale', 'msvc', 'content', '--replicas=2', '--namespace', namespace()]);
    const second = (await awaitPods(namespace(), 'content', 2)).find((pod) => pod.metadata.uid !== first.metadata.uid);
    assert.ok(second);
    await reportReady(second, content.address(2));
    const changed = await awaitCondition(ref, 'Ready', 'True', 'ContentChanged');
    assert.equal(conditionOf(changed, 'ModelLoaded')?.reason, 'ContentChanged');
    assert.match(conditionOf(changed, 'Ready')?.message ?? '', /Set spec\.model\.digest/);
    assert.equal(field(changed, 'status', 'revision', 'digest'), content.digest(1), 'the first content stays');

    const model = { uri: 'file:///examples/mnist/model', digest: content.digest(2) };
    await applyManifest(namespace(), modelService('content', { model, scaling: { minReplicas: 2 } }));
    const rolling = await awaitCondition(ref, 'Ready', 'True', 'RolloutInProgress');
    assert.equal(field(rolling, 'status', 'revision', 'ready'), revision);
    assert.notEqual(field(rolling, 'status', 'revision', 'wanted'), revision);
    assert.equal(field(rolling, 'status', 'revision', 'digest'), undefined);
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
