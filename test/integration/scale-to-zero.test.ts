import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, describe, it } from 'mocha';
import { describeAuditEvent, writesBy } from '../cluster/audit-log.ts';
import type { ServiceAccountRef } from '../cluster/test-cluster.ts';
import { installChart } from './support/chart.ts';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { awaitPods } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { type LoadedBackend, startTelemetry } from './support/metrics-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { usernameOf } from './support/operator-account.ts';
import { type OperatorProcess, startOperator } from './support/operator-process.ts';
import { lastLines } from './support/program-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

/** Where the operator asks pods for their activity. */
const METRICS_PORT = 8082;
const SCALING = { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10s' } };
const LABELS = { 'app.kubernetes.io/name': 'modelservice-operator-gateway', 'app.kubernetes.io/instance': 'operator' };

describe('A ModelService that may go to zero', function () {
  this.timeout(120_000);
  const namespace = useNamespace('zero');
  const named = (name: string) => ({ namespace: namespace(), name });
  const sliceOf = (name: string) => ({ namespace: namespace(), name: `${name}--gateway` });
  const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const backends: LoadedBackend[] = [];
  let account: ServiceAccountRef;
  let operator: OperatorProcess;
  let gateway: GatewayStandIn;

  async function start(): Promise<OperatorProcess> {
    return await startOperator({
      kubeconfig: await testCluster().kubeconfigFor(account),
      namespaces: [namespace()],
      args: [`--gateway-namespace=${namespace()}`, '--gateway-name=operator-modelservice-operator-gateway'],
    });
  }

  before('start an operator with a gateway', async () => {
    const values = { watchNamespaces: [namespace()], gateway: { replicas: 2 } };
    const kinds = ['ServiceAccount', 'Role', 'RoleBinding'];
    account = (await installChart({ release: 'operator', namespace: namespace(), values }, kinds)).serviceAccount;
    gateway = await startGatewayStandIn(namespace());
    operator = await start();
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    console.log(`The end of the operator's log:\n${lastLines(await operator.logs(), 40)}`);
  });
  after(async () => {
    await operator?.stop();
    await gateway?.[Symbol.asyncDispose]();
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  });

  /** Plays the kubelet for the newest pod: its server has been ready for `seconds`. */
  async function serve(name: string, seconds: number): Promise<LoadedBackend> {
    const [pod] = await awaitPods(namespace(), name, 1);
    assert.ok(pod);
    const backend = await startTelemetry({ host: `${block}.${backends.length + 1}`, port: METRICS_PORT });
    backends.push(backend);
    const lastTransitionTime = new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    const conditions = ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime,
    }));
    const status = { phase: 'Running', podIP: backend.host, podIPs: [{ ip: backend.host }], conditions };
    await testApi().mergePatch(RESOURCES.pods, pod.metadata, { status }, 'status');
    return backend;
  }

  function awaitSize(name: string, size: number): Promise<AnyObject> {
    return awaitObject('deployments', named(name), {
      because: `its size is ${size}`,
      until: (object) => field(object, 'spec', 'replicas') === size,
      deadlineMs: 60_000,
    });
  }

  function awaitHolders(name: string, count: number): Promise<AnyObject> {
    return awaitObject('endpointSlices', sliceOf(name), {
      because: `its slice names ${count} pods of the gateway`,
      until: (slice) => ((slice.endpoints ?? []) as readonly unknown[]).length === count,
      deadlineMs: 60_000,
    });
  }

  /** What the gateway does when a request comes. */
  const requestWake = (name: string): Promise<AnyObject> =>
    testApi().mergePatch(
      RESOURCES.modelServices,
      named(name),
      { status: { scaling: { wakeRequestTime: new Date().toISOString() } } },
      'status',
    );

  /** What the operator wrote about `name`, in the order in which it did. */
  async function writesAbout(name: string): Promise<readonly string[]> {
    const { auditEvents } = testCluster();
    const events = auditEvents === undefined ? [] : await auditEvents();
    return writesBy(events, usernameOf(account))
      .filter(({ objectRef }) => objectRef?.name === name || objectRef?.name === `${name}--gateway`)
      .filter(({ objectRef }) => ['deployments', 'endpointslices'].includes(objectRef?.resource ?? ''))
      .map(describeAuditEvent);
  }

  it('goes to zero, is woken by a request, and both in the order that loses none', async () => {
    await applyManifest(namespace(), modelService('quiet', SCALING));
    const slice = await awaitHolders('quiet', 0);
    const port = Number(field(slice, 'ports', 0, 'port'));
    assert.ok(port >= 20_000 && port <= 29_999, `${port}`);
    const busy = await serve('quiet', 3600);
    busy.hold(1);
    await awaitCondition(named('quiet'), 'CanScaleToZero', 'True', 'GatewayReady');
    const before = (await writesAbout('quiet')).length;
    busy.hold(0);
    await awaitSize('quiet', 0);
    const held = await awaitHolders('quiet', 1);
    assert.equal(field(held, 'endpoints', 0, 'targetRef', 'name'), gateway.pod.metadata.name);
    const idle = await awaitCondition(named('quiet'), 'Ready', 'True', 'Idle');
    assert.equal(field(idle, 'status', 'scaling', 'state'), 'Idle');
    assert.match(conditionOf(idle, 'ScalingActive')?.message ?? '', /goes on after the next request/);

    // A crash at zero must not forget whose zero it is.
    await operator.crash();
    operator = await start();
    await awaitPods(namespace(), 'quiet', 0);
    await requestWake('quiet');
    await awaitSize('quiet', 1);
    const waking = await awaitCondition(named('quiet'), 'Ready', 'False', 'Waking');
    assert.equal(field(waking, 'status', 'scaling', 'state'), 'Waking');
    assert.deepEqual((await awaitHolders('quiet', 1)).metadata.uid, slice.metadata.uid);

    // And one while it wakes must not leave the gateway in the path.
    await operator.crash();
    operator = await start();
    await serve('quiet', 0);
    await awaitHolders('quiet', 0);
    const started = await awaitObject('modelServices', named('quiet'), {
      because: 'the cold start is told',
      until: (object) => field(object, 'status', 'scaling', 'lastColdStart', 'readyTime') !== undefined,
    });
    const phases = field(started, 'status', 'scaling', 'lastColdStart', 'phases') as readonly { name: string }[];
    assert.deepEqual(phases.map(({ name }) => name).slice(0, 1), ['Scheduling']);
    if (testCluster().auditEvents === undefined) return;
    await eventually(async () => (await writesAbout('quiet')).slice(before), {
      because: 'the slice comes before the Deployment on the way to zero',
      until: ([first = '', second = '']) => /endpointslices/.test(first) && /deployments/.test(second),
    });
  });

  it('stays at a zero that somebody set by hand, whatever asks', async () => {
    await applyManifest(namespace(), modelService('by-hand', SCALING));
    await awaitHolders('by-hand', 0);
    await serve('by-hand', 0);
    await kubectl(['scale', '--namespace', namespace(), 'deployment/by-hand', '--replicas=0']);
    await awaitCondition(named('by-hand'), 'Ready', 'False', 'ScaledToZero');
    await requestWake('by-hand');
    // What is decided after that request shows in the status of a newer spec.
    await testApi().mergePatch(RESOURCES.modelServices, named('by-hand'), { spec: { server: { logLevel: 'Debug' } } });
    await awaitCondition(named('by-hand'), 'Ready', 'False', 'ScaledToZero');
    await awaitSize('by-hand', 0);
    await awaitHolders('by-hand', 0);
  });

  it('keeps a pod while the gateway does not listen, and says so', async () => {
    await applyManifest(namespace(), modelService('unheld', SCALING));
    gateway.refuse('unheld');
    await awaitHolders('unheld', 0);
    await serve('unheld', 3600);
    await awaitCondition(named('unheld'), 'CanScaleToZero', 'False', 'GatewayNotReady', 60_000);
    await awaitSize('unheld', 1);
  });

  it('comes back when idleAfter is taken away at zero, and its slice goes', async () => {
    await applyManifest(namespace(), modelService('changed', SCALING));
    await serve('changed', 3600);
    await awaitSize('changed', 0);
    await awaitCondition(named('changed'), 'Ready', 'True', 'Idle');
    await testApi().mergePatch(RESOURCES.modelServices, named('changed'), {
      spec: { scaling: { minReplicas: 1, idleAfter: null } },
    });
    await awaitSize('changed', 1);
    await awaitHolders('changed', 1);
    await serve('changed', 0);
    await eventually(() => testApi().find(RESOURCES.endpointSlices, sliceOf('changed')), {
      because: 'the slice is gone',
      until: (found) => found === undefined,
    });
  });
});

interface GatewayStandIn extends AsyncDisposable {
  readonly pod: AnyObject;
  /** From now on it does not listen for the service of that name. */
  refuse(name: string): void;
}

/** A ready pod of a gateway, which says that it listens for every slice. */
async function startGatewayStandIn(namespace: string): Promise<GatewayStandIn> {
  const refused = new Set<string>();
  const server = createServer(async (request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    const slice = await testApi().find(RESOURCES.endpointSlices, { namespace, name: `${name}--gateway` });
    const port = refused.has(name) || slice === undefined ? undefined : field(slice, 'ports', 0, 'port');
    response.writeHead(port === undefined ? 404 : 200, { connection: 'close' }).end(JSON.stringify({ port }));
  });
  // A loopback address is refused in a slice.
  const addresses = Object.values(networkInterfaces()).flat();
  const ip = addresses.find((address) => address?.family === 'IPv4' && !address.internal)?.address;
  assert.ok(ip, 'this machine has an address that a slice may name');
  await once(server.listen(0, ip), 'listening');
  const { port } = server.address() as AddressInfo;
  const created = await testApi().create(RESOURCES.pods, {
    metadata: { namespace, name: 'gateway', labels: LABELS },
    spec: {
      schedulerName: 'none',
      containers: [{ name: 'gateway', image: 'x', ports: [{ name: 'health', containerPort: port }] }],
    },
  });
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] };
  const pod = await testApi().mergePatch(RESOURCES.pods, created.metadata, { status }, 'status');
  return {
    pod,
    refuse: (name) => refused.add(name),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
