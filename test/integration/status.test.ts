import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'mocha';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { awaitPods, reportContainer, reportReady, reportUnschedulable } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
/** Loopback addresses stand in for pods' IPs; only Linux has more than one. */
const POD_IP = process.platform === 'linux' ? `127.77.${randomInt(256)}.${randomInt(1, 255)}` : '127.0.0.1';

/** That the pods which are added have no node yet is told, too, but by that condition alone. */
function besideScheduled(object: AnyObject): readonly unknown[] {
  const conditions = field(object, 'status', 'conditions') as readonly { readonly type: string }[];
  return conditions.filter(({ type }) => type !== 'Scheduled');
}

describe('The status of a ModelService', () => {
  const namespace = useNamespace('status');
  useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });

  /** What a server of ours answers about its model. */
  const server = createServer((request, response) => {
    const name = /^\/v2\/models\/([^/]+)$/.exec(request.url ?? '')?.[1];
    response.statusCode = name === undefined ? 404 : 200;
    const parameters = { digest: DIGEST, format: 'LayersModel', engine: 'Wasm', uri: 'file:///examples/mnist/model' };
    response.end(JSON.stringify({ name, versions: ['1'], platform: 'tfjs', inputs: [], outputs: [], parameters }));
  });
  before('listen where a pod would', async () => {
    server.listen(8080, POD_IP);
    await once(server, 'listening');
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  /** A ModelService whose first pod is there and has reported nothing. */
  async function startedService(name: string, spec: Readonly<Record<string, unknown>> = {}) {
    await applyManifest(namespace(), modelService(name, spec));
    const [pod] = await awaitPods(namespace(), name, 1);
    assert.ok(pod);
    return pod;
  }

  it('says that pods are starting, then that requests are answered and what is served', async () => {
    const pod = await startedService('served');
    await awaitObject('modelServices', named('served'), {
      because: 'pods are being waited for',
      until: (object) =>
        conditionOf(object, 'Ready')?.status === 'False' &&
        conditionOf(object, 'Reconciling')?.status === 'True' &&
        // Where the cluster has a scheduler, it may have said by now that there are no nodes.
        ['PodsStarting', 'Unschedulable'].includes(conditionOf(object, 'Ready')?.reason ?? ''),
    });

    await reportReady(pod, POD_IP);
    await kubectl(['wait', '--namespace', namespace(), '--for=condition=Ready', '--timeout=30s', 'msvc/served']);
    const served = await awaitObject('modelServices', named('served'), {
      because: 'the status tells what the server said of its model',
      until: (object) => field(object, 'status', 'models', 0, 'digest') !== undefined,
    });
    assert.deepEqual(field(served, 'status', 'models'), [
      {
        name: 'served',
        version: '1',
        uri: 'file:///examples/mnist/model',
        digest: DIGEST,
        format: 'LayersModel',
        engine: 'Wasm',
      },
    ]);
    assert.equal(field(served, 'status', 'readyReplicas'), 1);
    assert.equal(field(served, 'status', 'url'), `http://served.${namespace()}.svc`);
    assert.equal(field(served, 'status', 'server', 'image'), 'modelservice-server:test-wasm');
    assert.equal(conditionOf(served, 'Ready')?.reason, 'Serving');
    assert.equal(conditionOf(served, 'Reconciling')?.status, 'False');
    assert.equal(conditionOf(served, 'Stalled')?.status, 'False');
    const row = await kubectl(['get', 'msvc', 'served', '--namespace', namespace(), '-o', 'wide', '--no-headers']);
    assert.match(row, /^served +True +1 +file:\/\/\/examples\/mnist\/model +Serving +\S+ +Wasm +http:\/\/served\./);
  });

  it('stays Ready through a rollout and says when it has failed, and why', async () => {
    const old = await startedService('rolled');
    await reportReady(old);
    const before = conditionOf(await awaitCondition(named('rolled'), 'Ready', 'True', 'Serving'), 'Ready');

    await applyManifest(namespace(), modelService('rolled', { server: { logLevel: 'Debug' } }));
    const rolling = await awaitCondition(named('rolled'), 'Ready', 'True', 'RolloutInProgress');
    assert.equal(conditionOf(rolling, 'Reconciling')?.status, 'True');
    const next = (await awaitPods(namespace(), 'rolled', 2)).find(({ metadata }) => metadata.uid !== old.metadata.uid);
    assert.ok(next);
    await reportContainer(next, { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } });
    // The Deployment's controller keeps the verdict that its deadline passed, once it has told of the new pod itself.
    await awaitObject('deployments', named('rolled'), {
      because: 'its status tells of the new pod',
      until: ({ metadata, status }) =>
        status?.observedGeneration === metadata.generation &&
        status?.replicas === 2 &&
        status.updatedReplicas === 1 &&
        status.unavailableReplicas === 1,
    });
    await testApi().mergePatch(
      RESOURCES.deployments,
      named('rolled'),
      { status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] } },
      'status',
    );
    // The watches of pods and of Deployments may bring the two in the other order.
    const failed = await awaitCondition(named('rolled'), 'Stalled', 'True', 'ImagePullFailed');
    assert.equal(conditionOf(failed, 'Ready')?.reason, 'OldRevisionServing');
    assert.equal(conditionOf(failed, 'Ready')?.lastTransitionTime, before?.lastTransitionTime, 'it never flipped');
    assert.match(
      conditionOf(failed, 'Stalled')?.message ?? '',
      /modelservice-server:test-wasm cannot be pulled: .*spec\.pod\.imagePullSecrets/,
    );
    assert.equal(conditionOf(failed, 'Reconciling')?.status, 'False');
  });

  it('names the reason that the server gave when it ended', async () => {
    const pod = await startedService('mismatch');
    const message = 'The model at file:///m has the digest sha256:1…, not sha256:2…: correct spec.model.digest.';
    await reportContainer(
      pod,
      { waiting: { reason: 'CrashLoopBackOff' } },
      {
        terminated: {
          exitCode: 1,
          reason: 'Error',
          message: JSON.stringify({ reason: 'DigestMismatch', message, model: 'mismatch' }),
        },
      },
    );
    const object = await awaitCondition(named('mismatch'), 'Ready', 'False', 'DigestMismatch');
    assert.equal(conditionOf(object, 'Ready')?.message, message);
    assert.equal(conditionOf(object, 'Reconciling')?.status, 'True', 'until the deadline');
  });

  it('says that no node takes a pod, and what would help', async () => {
    const pod = await startedService('unschedulable');
    const said = await eventually(
      async () => {
        // Again and again, because the cluster's own scheduler may write, too.
        await reportUnschedulable(pod, '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.');
        const object = await testApi().get(RESOURCES.modelServices, named('unschedulable'));
        return conditionOf(object, 'Ready');
      },
      { because: 'the condition tells it', until: (ready) => ready?.message.includes('Insufficient') === true },
    );
    assert.equal(said?.reason, 'Unschedulable');
    assert.match(said?.message ?? '', /3 Insufficient nvidia\.com\/gpu\. Add such a node/);
  });

  it('says that the API server admits no pods', async () => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec: { hard: { pods: 0 } } };
    await kubectl(['create', '--namespace', namespace(), '-f', '-'], { input: JSON.stringify(quota) });
    try {
      // A quota takes hold once its controller has counted.
      await kubectl([
        ...['wait', '--namespace', namespace(), 'resourcequota/none'],
        ...['--for=jsonpath={.status.hard.pods}=0', '--timeout=30s'],
      ]);
      await applyManifest(namespace(), modelService('refused-pods'));
      const object = await awaitCondition(named('refused-pods'), 'Ready', 'False', 'QuotaExceeded');
      assert.match(conditionOf(object, 'Ready')?.message ?? '', /ResourceQuota none admits no more pods/);
    } finally {
      await kubectl(['delete', '--namespace', namespace(), 'resourcequota', 'none']);
    }
  });

  it('does not change its conditions while an autoscaler adds pods', async () => {
    const resources = { requests: { cpu: '500m' } };
    const pod = await startedService('growing', { server: { resources }, scaling: { maxReplicas: 5 } });
    await reportReady(pod);
    await awaitCondition(named('growing'), 'Ready', 'True', 'Serving');
    // The autoscaler's first look may come at any time; what it says stays the same.
    const before = await awaitCondition(named('growing'), 'AutoscalingActive', 'False', 'MetricsMissing');
    await kubectl(['scale', '--namespace', namespace(), 'deployment/growing', '--replicas=4']);
    const after = await awaitObject('modelServices', named('growing'), {
      because: 'the status tells 4 pods',
      until: (object) => field(object, 'status', 'replicas') === 4,
    });
    assert.deepEqual(besideScheduled(after), besideScheduled(before));
    assert.equal(field(after, 'status', 'scaling', 'state'), 'Autoscaled');
  });

  it('says that a part of a fixed size is missing, and stays Ready', async () => {
    await applyManifest(namespace(), modelService('partly', { scaling: { minReplicas: 2 } }));
    const [first] = await awaitPods(namespace(), 'partly', 2);
    assert.ok(first);
    await reportReady(first);
    const object = await awaitCondition(named('partly'), 'Ready', 'True', 'PodsMissing');
    assert.match(conditionOf(object, 'Ready')?.message ?? '', /minimum of 2/);
    assert.equal(conditionOf(object, 'Reconciling')?.status, 'True');
  });

  it('says that this operator has no image for GPUs', async () => {
    await applyManifest(namespace(), modelService('no-image', { gpu: { count: 1 } }));
    const object = await awaitCondition(named('no-image'), 'Stalled', 'True', 'NoServerImage');
    assert.match(conditionOf(object, 'Stalled')?.message ?? '', /set spec\.server\.image/);
    assert.equal(conditionOf(object, 'Ready')?.status, 'False');
    assert.equal(await testApi().find(RESOURCES.deployments, named('no-image')), undefined);
  });
});
