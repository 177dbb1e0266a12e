import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'mocha';
import { awaitCondition, awaitObject, CHILDREN, type ChildKind, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const EXAMPLE = new URL('../../examples/mnist/modelservice.yaml', import.meta.url);
const cpuRequest = { server: { resources: { requests: { cpu: '500m' } } } };

describe('The children of a ModelService', () => {
  const namespace = useNamespace('children');
  useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });
  const inNamespace = (...args: readonly string[]): Promise<string> =>
    kubectl([args[0] ?? '', '--namespace', namespace(), ...args.slice(1)]);

  async function allChildren(name: string, kinds: readonly ChildKind[] = CHILDREN): Promise<readonly AnyObject[]> {
    return Promise.all(
      kinds.map((kind) =>
        awaitObject(kind, named(name), { because: `${name} has one of the ${kind}`, intervalMs: 10 }),
      ),
    );
  }

  it('are there soon after kubectl apply of the example', async () => {
    await kubectl(['apply', '--namespace', namespace(), '-f', '-'], { input: await readFile(EXAMPLE, 'utf8') });
    const applied = performance.now();
    const [deployment, service, autoscaler] = await allChildren('mnist');
    console.log(`      children were there ${Math.round(performance.now() - applied)} ms after kubectl apply`);
    assert.deepEqual(field(deployment, 'spec', 'selector', 'matchLabels'), {
      'modelservice.dev/name': 'mnist',
      'modelservice.dev/track': 'stable',
    });
    assert.deepEqual(field(service, 'spec', 'selector'), { 'modelservice.dev/name': 'mnist' });
    assert.equal(field(autoscaler, 'spec', 'maxReplicas'), 3);
    assert.equal(field(autoscaler, 'spec', 'scaleTargetRef', 'name'), 'mnist');
  });

  for (const kind of CHILDREN) {
    it(`come back when one of the ${kind} is deleted`, async () => {
      await applyManifest(namespace(), modelService('deleted', { ...cpuRequest, scaling: { maxReplicas: 2 } }));
      await allChildren('deleted');
      const before = await testApi().get(RESOURCES[kind], named('deleted'));
      await inNamespace('delete', kind.toLowerCase(), 'deleted');
      await awaitObject(kind, named('deleted'), {
        because: 'there is a new one',
        until: ({ metadata }) => metadata.uid !== before.metadata.uid,
      });
    });
  }

  const edits: readonly { kind: ChildKind; title: string; patch: unknown; path: readonly (string | number)[] }[] = [
    {
      kind: 'deployments',
      title: 'the image',
      patch: { spec: { template: { spec: { containers: [{ name: 'server', image: 'other:1' }] } } } },
      path: ['spec', 'template', 'spec', 'containers', 0, 'image'],
    },
    {
      kind: 'deployments',
      title: 'the size',
      patch: { spec: { replicas: 5 } },
      path: ['spec', 'replicas'],
    },
    {
      kind: 'services',
      title: 'the selector',
      patch: { spec: { selector: { 'modelservice.dev/name': 'other' } } },
      path: ['spec', 'selector', 'modelservice.dev/name'],
    },
    {
      kind: 'services',
      title: 'our label',
      patch: { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
      path: ['metadata', 'labels', 'app.kubernetes.io/managed-by'],
    },
  ];
  for (const { kind, title, patch, path } of edits) {
    it(`get back ${title} of ${kind} that somebody changed`, async () => {
      await applyManifest(namespace(), modelService('edited', { scaling: { minReplicas: 2 } }));
      await awaitObject('deployments', named('edited'), {
        because: 'its size is set',
        until: (object) => field(object, 'spec', 'replicas') === 2,
      });
      const before = await awaitObject(kind, named('edited'), { because: 'it is there' });
      await inNamespace('patch', kind, 'edited', '--patch', JSON.stringify(patch));
      await awaitObject(kind, named('edited'), {
        because: `${path.join('.')} is as it was`,
        until: (object) =>
          field(object, ...path) === field(before, ...path) &&
          object.metadata.resourceVersion !== before.metadata.resourceVersion,
      });
    });
  }

  it('keep what somebody else adds, while ours is repaired beside it', async () => {
    await applyManifest(namespace(), modelService('added'));
    await allChildren('added', ['deployments', 'services']);
    await inNamespace('annotate', 'deployment', 'added', 'team=vision');
    await inNamespace(
      'patch',
      'deployment',
      'added',
      '--patch',
      JSON.stringify({ spec: { minReadySeconds: 7, revisionHistoryLimit: 9 } }),
    );
    const repaired = await awaitObject('deployments', named('added'), {
      because: 'revisionHistoryLimit is as we set it',
      until: (object) => field(object, 'spec', 'revisionHistoryLimit') === 3,
    });
    assert.equal(field(repaired, 'spec', 'minReadySeconds'), 7);
    assert.equal(repaired.metadata.annotations?.team, 'vision');
  });

  it('roll once on kubectl rollout restart', async () => {
    await applyManifest(namespace(), modelService('restarted'));
    await awaitObject('deployments', named('restarted'), {
      because: 'its first ReplicaSet is made',
      until: (object) => field(object, 'status', 'updatedReplicas') === 1,
    });
    await inNamespace('rollout', 'restart', 'deployment/restarted');
    const owned = { namespace: namespace(), labelSelector: 'modelservice.dev/name=restarted' };
    await eventually(() => testApi().list(RESOURCES.replicaSets, owned), {
      because: 'there is a second ReplicaSet',
      until: (sets) => sets.length === 2,
    });
    // A change that the operator has to carry out shows that it looked at the restarted Deployment and left it so.
    await applyManifest(namespace(), modelService('restarted', { scaling: { minReplicas: 2 } }));
    const after = await awaitObject('deployments', named('restarted'), {
      because: 'the new size is carried out',
      until: (object) => field(object, 'spec', 'replicas') === 2,
    });
    assert.ok(
      field(after, 'spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'),
      'the restart is still there',
    );
    assert.equal((await testApi().list(RESOURCES.replicaSets, owned)).length, 2);
  });

  it('lose the autoscaler when maxReplicas goes away, and get the fixed size', async () => {
    await applyManifest(namespace(), modelService('pruned', { ...cpuRequest, scaling: { maxReplicas: 4 } }));
    await allChildren('pruned');
    await inNamespace('scale', 'deployment/pruned', '--replicas=3');
    await applyManifest(namespace(), modelService('pruned', { ...cpuRequest, scaling: { minReplicas: 2 } }));
    await eventually(() => testApi().find(RESOURCES.horizontalPodAutoscalers, named('pruned')), {
      because: 'the autoscaler is gone',
      until: (autoscaler) => autoscaler === undefined,
    });
    await awaitObject('deployments', named('pruned'), {
      because: 'it has the fixed size',
      until: (object) => field(object, 'spec', 'replicas') === 2,
    });
  });

  it('let a drain take one of two ready pods, and any pod that is not ready', async () => {
    await applyManifest(namespace(), modelService('drained', { scaling: { minReplicas: 2 } }));
    await awaitObject('podDisruptionBudgets', named('drained'), {
      because: 'two pods are certain, and none is ready',
      until: (budget) => field(budget, 'status', 'expectedPods') === 2,
    });
    const [pending] = await awaitPods(namespace(), 'drained', 2);
    assert.ok(pending);
    await evict(pending.metadata.name);

    await eventually(() => testApi().find(RESOURCES.pods, named(pending.metadata.name)), {
      because: 'the pod is gone',
      until: (pod) => pod === undefined,
    });
    for (const pod of await awaitPods(namespace(), 'drained', 2)) await reportReady(pod);
    await awaitObject('podDisruptionBudgets', named('drained'), {
      because: 'one of them may go',
      until: (budget) => field(budget, 'status', 'disruptionsAllowed') === 1,
    });
    const [first, second] = await awaitPods(namespace(), 'drained', 2);
    await evict(first?.metadata.name ?? '');
    await assert.rejects(evict(second?.metadata.name ?? ''), /violate the pod's disruption budget/);

    await inNamespace('scale', 'msvc/drained', '--replicas=1');
    await eventually(() => testApi().find(RESOURCES.podDisruptionBudgets, named('drained')), {
      because: 'with one pod there is no budget',
      until: (budget) => budget === undefined,
    });
  });

  /** What `kubectl drain` does to each pod of a node. */
  function evict(name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace()}/pods/${name}/eviction`;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: named(name) };
    return kubectl(['create', '--raw', path, '-f', '-'], { input: JSON.stringify(body) });
  }

  it('do not take over an object of the same name that somebody else made', async () => {
    const service = { metadata: { ...named('taken') }, spec: { selector: { app: 'theirs' }, ports: [{ port: 443 }] } };
    const before = await testApi().create(RESOURCES.services, service);
    await applyManifest(namespace(), modelService('taken'));
    const stalled = await awaitCondition(named('taken'), 'Stalled', 'True', 'NameTaken');
    assert.match(JSON.stringify(stalled.status), /Service taken was not made by this operator .* delete it/);
    assert.equal(field(stalled, 'status', 'url'), undefined, 'it promises no URL that leads elsewhere');
    await awaitCondition(named('taken'), 'Ready', 'False', 'NameTaken');
    const after = await testApi().get(RESOURCES.services, named('taken'));
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);

    await inNamespace('delete', 'service', 'taken');
    await inNamespace('annotate', 'msvc', 'taken', 'look=again');
    await awaitCondition(named('taken'), 'Stalled', 'False', 'NotStalled');
    const own = await testApi().get(RESOURCES.services, named('taken'));
    assert.deepEqual(field(own, 'spec', 'selector'), { 'modelservice.dev/name': 'taken' });
  });

  it('are taken back after kubectl delete --cascade=orphan', async () => {
    await applyManifest(namespace(), modelService('orphaned'));
    const kinds = ['deployments', 'services'] as const;
    const before = await allChildren('orphaned', kinds);
    await inNamespace('delete', 'msvc', 'orphaned', '--cascade=orphan');
    for (const kind of kinds) {
      await awaitObject(kind, named('orphaned'), {
        because: `its ${kind} has no owner`,
        until: ({ metadata }) => metadata.ownerReferences === undefined,
      });
    }
    await applyManifest(namespace(), modelService('orphaned'));
    for (const [index, kind] of kinds.entries()) {
      const after = await awaitObject(kind, named('orphaned'), {
        because: `its ${kind} has the new owner`,
        until: ({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ModelService',
      });
      assert.equal(after.metadata.uid, before[index]?.metadata.uid, 'it is the same object, which never stopped');
    }
    // The garbage collector, which takes the owners off, learns of a new type within half a minute.
  }).timeout(120_000);

  it('say in the status why the API server refuses one', async () => {
    await applyManifest(namespace(), modelService('refused', { pod: { labels: { 'not a key': 'x' } } }));
    const object = await awaitCondition(named('refused'), 'Stalled', 'True', 'Refused');
    assert.match(JSON.stringify(object.status), /The API server refuses the Deployment: .*not a key/);
    await applyManifest(namespace(), modelService('refused', { pod: { labels: { 'a-key': 'x' } } }));
    await awaitCondition(named('refused'), 'Stalled', 'False', 'NotStalled');
  });

  it('go with the ModelService and leave nothing', async () => {
    await applyManifest(namespace(), modelService('gone', { ...cpuRequest, scaling: { maxReplicas: 2 } }));
    await allChildren('gone');
    await eventually(
      () => testApi().list(RESOURCES.pods, { namespace: namespace(), labelSelector: 'modelservice.dev/name=gone' }),
      { because: 'it has a pod', until: (pods) => pods.length > 0 },
    );
    await inNamespace('delete', 'msvc', 'gone');
    const kinds = 'deployments,replicasets,pods,services,endpointslices,horizontalpodautoscalers';
    await eventually(() => inNamespace('get', kinds, '-o', 'name'), {
      because: 'nothing of that name is left',
      until: (names) => !/\/gone(-|$)/m.test(names),
      intervalMs: 300,
      // The garbage collector learns of a new type within half a minute of its installation.
      deadlineMs: 90_000,
    });
  }).timeout(120_000);
});
