import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'mocha';
import { describeAuditEvent } from '../cluster/audit-log.ts';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { awaitPods, reportContainer } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { lastLines } from './support/program-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';
import { ZeroWorld } from './support/zero-world.ts';

const SCALING = { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10s' } };

describe('A ModelService that may go to zero', function () {
  this.timeout(120_000);
  const namespace = useNamespace('zero');
  const named = (name: string) => ({ namespace: namespace(), name });
  const sliceOf = (name: string) => ({ namespace: namespace(), name: `${name}--gateway` });
  let world: ZeroWorld;

  before('start an operator and a gateway', async () => {
    world = await ZeroWorld.start(namespace());
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    console.log(`The end of the logs:\n${lastLines(await world.logs(), 60)}`);
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  function awaitSize(name: string, size: number, kind = named(name)): Promise<AnyObject> {
    return awaitObject('deployments', kind, {
      because: `the size of ${name} is ${size}`,
      until: (object) => field(object, 'spec', 'replicas') === size,
      deadlineMs: 60_000,
    });
  }

  const awaitGatewaySize = (size: number) => awaitSize('the gateway', size, world.gatewayDeployment);

  function awaitHolders(name: string, count: number): Promise<AnyObject> {
    return awaitObject('endpointSlices', sliceOf(name), {
      because: `its slice names ${count} pods of the gateway`,
      until: (slice) => holdersIn(slice).length === count,
      deadlineMs: 60_000,
    });
  }

  /** Its pod answers and has not been asked for long. */
  async function goToZero(name: string): Promise<void> {
    await applyManifest(namespace(), modelService(name, SCALING));
    await world.serve(name, 3600);
    await awaitSize(name, 0);
    await awaitCondition(named(name), 'Ready', 'True', 'Idle');
    await world.setReachable(name, false);
  }

  const changeSpec = (name: string, spec: object): Promise<AnyObject> =>
    testApi().mergePatch(RESOURCES.modelServices, named(name), { spec });

  it('gives the gateway pods once a service may go to zero', async () => {
    await awaitGatewaySize(0);
    await applyManifest(namespace(), modelService('first', SCALING));
    await awaitGatewaySize(2);
    await awaitCondition(named('first'), 'CanScaleToZero', 'False', 'GatewayNotReady');
    await world.addGatewayPod('gateway-a');
    await awaitCondition(named('first'), 'CanScaleToZero', 'True', 'GatewayReady');
  });

  it('goes to zero, is woken by 50 requests at once, and loses none', async () => {
    await applyManifest(namespace(), modelService('quiet', SCALING));
    const slice = await awaitHolders('quiet', 0);
    const port = Number(field(slice, 'ports', 0, 'port'));
    assert.ok(port >= 20_000 && port <= 29_999, `${port}`);
    await world.serve('quiet', 0);
    await awaitSize('quiet', 0);
    const held = await awaitHolders('quiet', 1);
    assert.deepEqual(holdersIn(held), ['gateway-a']);
    const idle = await awaitCondition(named('quiet'), 'Ready', 'True', 'Idle');
    assert.equal(field(idle, 'status', 'scaling', 'state'), 'Idle');
    assert.partialDeepStrictEqual(decisionIn(idle), { from: 1, to: 0, reason: 'Idle' });
    assert.match(conditionOf(idle, 'AutoscalingActive')?.message ?? '', /goes on after the next request/);
    await world.setReachable('quiet', false);

    // A crash at zero must not forget whose zero it is.
    await world.crashOperator();
    await awaitPods(namespace(), 'quiet', 0);
    const asked = Array.from({ length: 50 }, (_, index) => world.ask('quiet', `/${index}`));
    await world.awaitHeld(50);
    await world.startOperator();
    await awaitSize('quiet', 1);
    const waking = await awaitCondition(named('quiet'), 'Ready', 'False', 'Waking');
    assert.equal(field(waking, 'status', 'scaling', 'state'), 'Waking');
    assert.partialDeepStrictEqual(decisionIn(waking), { from: 0, to: 1, reason: 'Woken' });
    assert.deepEqual((await awaitHolders('quiet', 1)).metadata.uid, slice.metadata.uid);

    // And one while it wakes must not leave the gateway in the path.
    await world.crashOperator();
    await world.makeReady('quiet', 0);
    const answers = await Promise.all(asked);
    assert.deepEqual(
      answers,
      asked.map((_, index) => ({ status: 200, body: `answer to /${index}` })),
    );
    await world.startOperator();
    // Kubernetes' controller does not list the pod yet: without the gateway the Service would lead nowhere.
    assert.deepEqual(await world.ask('quiet', '/early'), { status: 200, body: 'answer to /early' });
    await world.setReachable('quiet', true);
    await awaitHolders('quiet', 0);
    const started = await awaitObject('modelServices', named('quiet'), {
      because: 'the cold start is told',
      until: (object) => field(object, 'status', 'scaling', 'lastColdStart', 'readyTime') !== undefined,
    });
    const phases = field(started, 'status', 'scaling', 'lastColdStart', 'phases') as readonly { name: string }[];
    assert.deepEqual(phases.map(({ name }) => name).slice(0, 1), ['Scheduling']);
    if (testCluster().auditEvents === undefined) return;
    // On a slow machine the service may be on its way to zero again by now, which is another story.
    const events = await eventually(
      async () => {
        const all = await eventsAbout('quiet');
        const listed = all.lastIndexOf('the Service’s own slice');
        return all.slice(Math.max(0, listed - 4), listed + 3);
      },
      {
        because: 'both of the last writes are logged',
        until: (last) => last.length === 7 && last[3] === 'the pod’s status',
      },
    );
    assert.deepEqual(events.slice(0, 5), [
      'the gateway’s slice',
      'the Deployment',
      'the Deployment',
      'the pod’s status',
      'the Service’s own slice',
    ]);
    assert.deepEqual(new Set(events.slice(5)), new Set(['the gateway’s slice', 'the Deployment']));
  });

  it('names a pod of the gateway that comes while it is at zero, and no longer one that went', async () => {
    await goToZero('more');
    await using second = await startStandIn(namespace());
    await world.addGatewayPod('gateway-b', second.healthUrl);
    assert.deepEqual(holdersIn(await awaitHolders('more', 2)).toSorted(), ['gateway-a', 'gateway-b']);
    await testApi().delete(RESOURCES.pods, { namespace: namespace(), name: 'gateway-b' });
    assert.deepEqual(holdersIn(await awaitHolders('more', 1)), ['gateway-a']);
  });

  it('repairs its slice at zero', async () => {
    await goToZero('repaired');
    const { metadata, ports } = await testApi().get(RESOURCES.endpointSlices, sliceOf('repaired'));
    await testApi().mergePatch(RESOURCES.endpointSlices, sliceOf('repaired'), { endpoints: [] });
    await awaitHolders('repaired', 1);
    await testApi().delete(RESOURCES.endpointSlices, sliceOf('repaired'));
    const anew = await awaitObject('endpointSlices', sliceOf('repaired'), {
      because: 'there is a new one, of use',
      until: (slice) => slice.metadata.uid !== metadata.uid && holdersIn(slice).length === 1,
    });
    assert.deepEqual(anew.ports, ports);
  });

  it('takes a change of its spec at zero without waking, and starts by it at the next request', async () => {
    await goToZero('rolled');
    const { metadata } = await changeSpec('rolled', { server: { logLevel: 'Debug' } });
    const told = await awaitCondition(named('rolled'), 'Ready', 'True', 'Idle');
    assert.equal(field(told, 'status', 'observedGeneration'), metadata.generation);
    await awaitSize('rolled', 0);
    const asked = world.ask('rolled', '/new');
    const [pod] = await awaitPods(namespace(), 'rolled', 1);
    assert.match(JSON.stringify(pod?.spec), /Debug|debug/);
    await world.serve('rolled', 0);
    assert.deepEqual(await asked, { status: 200, body: 'answer to /new' });
  });

  it('says why it does not wake, and answers what waited once its owner has mended it', async () => {
    await goToZero('broken');
    const asked = world.ask('broken', '/patient');
    const [pod] = await awaitPods(namespace(), 'broken', 1);
    assert.ok(pod);
    const message = JSON.stringify({ reason: 'ModelNotFound', message: 'There is no model at file:///m.' });
    await reportContainer(pod, { terminated: { exitCode: 1, reason: 'Error', message } });
    const failed = await awaitObject('modelServices', named('broken'), {
      because: 'the cause is told',
      until: (object) => conditionOf(object, 'Ready')?.message.includes('There is no model') === true,
    });
    assert.equal(conditionOf(failed, 'Ready')?.status, 'False');
    await changeSpec('broken', { server: { logLevel: 'Debug' } });
    // The one of before goes once a new one is ready.
    await world.serve('broken', 0, 2);
    assert.deepEqual(await asked, { status: 200, body: 'answer to /patient' });
    await awaitHolders('broken', 0);
  });

  it('stays at a zero that somebody set by hand, whatever asks', async () => {
    await applyManifest(namespace(), modelService('by-hand', SCALING));
    await awaitHolders('by-hand', 0);
    await world.serve('by-hand', 0);
    await kubectl(['scale', '--namespace', namespace(), 'deployment/by-hand', '--replicas=0']);
    await awaitCondition(named('by-hand'), 'Ready', 'False', 'ScaledToZero');
    const wakeRequestTime = new Date().toISOString();
    const status = { scaling: { wakeRequestTime } };
    await testApi().mergePatch(RESOURCES.modelServices, named('by-hand'), { status }, 'status');
    // What is decided after that request shows in the status of a newer spec.
    await changeSpec('by-hand', { server: { logLevel: 'Debug' } });
    await awaitCondition(named('by-hand'), 'Ready', 'False', 'ScaledToZero');
    await awaitSize('by-hand', 0);
    await awaitHolders('by-hand', 0);
  });

  it('sends away what waits when it is suspended, and comes back with a pod', async () => {
    await goToZero('paused');
    const asked = world.ask('paused', '/');
    await awaitSize('paused', 1);
    await changeSpec('paused', { suspend: true });
    const { status, body } = await asked;
    assert.equal(status, 503);
    assert.match(body, /has no pods: spec.suspend is true/);
    await awaitHolders('paused', 0);
    await awaitSize('paused', 0);
    await changeSpec('paused', { suspend: false });
    await awaitSize('paused', 1);
  });

  it('comes back when idleAfter is taken away at zero, and its slice goes', async () => {
    await goToZero('changed');
    await changeSpec('changed', { scaling: { minReplicas: 1, idleAfter: null } });
    await awaitSize('changed', 1);
    await awaitHolders('changed', 1);
    await world.serve('changed', 0);
    await awaitGone('changed');
  });

  it('tells who waits that it is deleted', async () => {
    await goToZero('deleted');
    const asked = world.ask('deleted', '/');
    await world.awaitHeld(1);
    await testApi().delete(RESOURCES.modelServices, named('deleted'));
    const { status, body } = await asked;
    assert.equal(status, 503);
    assert.match(body, /no ModelService/);
    await awaitGone('deleted');
  });

  it('comes back when nobody holds its requests any more, and keeps a pod then', async () => {
    await goToZero('unheld');
    await world.setGatewayReady('gateway-a', false);
    await awaitHolders('unheld', 0);
    await awaitCondition(named('unheld'), 'Ready', 'False', 'GatewayNotReady');
    await awaitSize('unheld', 1);
    await world.serve('unheld', 3600);
    await awaitCondition(named('unheld'), 'CanScaleToZero', 'False', 'GatewayNotReady');
    await awaitSize('unheld', 1);
  });

  it('takes the gateway’s pods away with the last service that may go to zero', async () => {
    await awaitGatewaySize(2);
    await kubectl(['delete', 'modelservices', '--namespace', namespace(), '--all']);
    await awaitGatewaySize(0);
  });

  function awaitGone(name: string): Promise<unknown> {
    return eventually(() => testApi().find(RESOURCES.endpointSlices, sliceOf(name)), {
      because: 'the slice is gone',
      until: (found) => found === undefined,
      // The garbage collector of a new cluster learns of ModelServices within half a minute.
      deadlineMs: 90_000,
    });
  }

  /** What was written about `name`, in the order in which it was. */
  async function eventsAbout(name: string): Promise<readonly string[]> {
    const { auditEvents } = testCluster();
    const events = auditEvents === undefined ? [] : await auditEvents();
    const own = `${namespace()}/${name}`;
    const names: readonly (readonly [RegExp, string])[] = [
      [new RegExp(`^patch apps/deployments ${own} -> 200$`), 'the Deployment'],
      [new RegExp(`^patch discovery.k8s.io/endpointslices ${own}--gateway -> 20[01]$`), 'the gateway’s slice'],
      [new RegExp(`^create discovery.k8s.io/endpointslices ${own}-own -> 201$`), 'the Service’s own slice'],
      [new RegExp(`^patch pods/status ${own}-.* -> 200$`), 'the pod’s status'],
    ];
    return (
      events
        // The scheduler says of each pod that there is no node for it.
        .filter(({ stage, userAgent = '' }) => stage === 'ResponseComplete' && !userAgent.startsWith('kube-'))
        .toSorted((a, b) => (a.stageTimestamp < b.stageTimestamp ? -1 : 1))
        .map(describeAuditEvent)
        .flatMap((event) => names.filter(([pattern]) => pattern.test(event)).map(([, what]) => what))
    );
  }
});

function decisionIn(service: AnyObject): object {
  return field(service, 'status', 'scaling', 'lastDecision') as object;
}

function holdersIn(slice: AnyObject): readonly unknown[] {
  return ((slice.endpoints ?? []) as readonly unknown[]).map((endpoint) => field(endpoint, 'targetRef', 'name'));
}

/** What a further pod of the gateway says: that it listens for every slice. Here is no second address for a real one. */
async function startStandIn(namespace: string): Promise<AsyncDisposable & { readonly healthUrl: string }> {
  const server = createServer(async (request, response) => {
    const name = `${request.url?.split('/').at(-1)}--gateway`;
    const slice = await testApi().find(RESOURCES.endpointSlices, { namespace, name });
    response.setHeader('connection', 'close').end(JSON.stringify({ port: field(slice, 'ports', 0, 'port') }));
  });
  await once(server.listen(0), 'listening');
  return {
    healthUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
