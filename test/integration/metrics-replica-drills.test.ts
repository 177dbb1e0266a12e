import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { freePort } from '../cluster/free-port.ts';
import { awaitMetricReads, everShrank, failedReads, metricReads } from './support/autoscaling.ts';
import { awaitSize, growsAgain, sizeOf, startBusyService } from './support/busy-service.ts';
import { awaitCondition } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import {
  awaitMetricsServed,
  certificateAt,
  type InstalledMetricsApi,
  installMetricsApi,
  startMetricsApiProcess,
} from './support/metrics-api-parts.ts';
import { useNamespace } from './support/namespaces.ts';
import type { ProgramProcess } from './support/program-process.ts';
import { createServedPods } from './support/served-pods.ts';
import { useOperator } from './support/suite-operator.ts';
import { startTcpRelay, type TcpRelay } from './support/tcp-relay.ts';
import { testCluster } from './support/test-run.ts';

/** Renewed when a third of it is left. */
const LIFETIME = '24s';
const RENEWALS = 3;

describe('Scaling on requests while the metrics API fails', function () {
  this.timeout(240_000);
  const namespace = useNamespace('replica-drills');
  let relay: TcpRelay;
  let installed: InstalledMetricsApi;
  const replicas = new Map<number, ProgramProcess>();

  async function startReplica(port?: number): Promise<number> {
    const chosen = port ?? (await freePort());
    replicas.set(chosen, await startMetricsApiProcess(installed, chosen, [`--certificate-lifetime=${LIFETIME}`]));
    return chosen;
  }

  before('start two pods of the metrics API', async function () {
    if (testCluster().hostAddress === undefined) this.skip();
    relay = await startTcpRelay();
    installed = await installMetricsApi(namespace(), relay.port);
    relay.route(await Promise.all([startReplica(), startReplica()]));
    await awaitMetricsServed();
  });
  after('stop the metrics API and the pods', async () => {
    await servers[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    for (const replica of replicas.values()) await replica.stop();
    await relay?.[Symbol.asyncDispose]();
  });
  useOperator(() => ({ namespaces: [namespace()] }));
  const servers = createServedPods(namespace);

  it('goes on without a failed read while certificates expire and are renewed', async () => {
    const service = await startBusyService({ namespace: namespace(), name: 'renewals' }, servers);
    const { ref, history } = service;
    const since = Date.now();
    const shown = new Set<string>();
    await eventually(
      async () => {
        for (const port of replicas.keys()) shown.add(await certificateAt(port));
        return shown.size;
      },
      {
        because: `there were ${RENEWALS} renewals`,
        until: (count) => count > RENEWALS,
        deadlineMs: 120_000,
        intervalMs: 500,
      },
    );
    assert.equal(await sizeOf(ref), 3);
    await growsAgain(service);
    const codes = await metricReads(ref, since);
    assert.ok(codes.length >= 10, `${codes.length} reads`);
    assert.deepEqual(new Set(codes), new Set([200]));
    assert.deepEqual(await failedReads(ref, since), []);
    assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);
  });

  it('goes on with one of two pods, and never makes a service smaller meanwhile', async () => {
    const service = await startBusyService({ namespace: namespace(), name: 'one-left' }, servers);
    const { ref, history } = service;
    const [lost, left] = [...replicas.keys()];
    assert.ok(lost !== undefined && left !== undefined);
    const since = Date.now();
    await replicas.get(lost)?.crash();
    // As long as no probe has failed, calls go to where it was too.
    await awaitMetricReads(ref, since, 4);
    relay.route([left]);
    const routed = Date.now();
    await awaitCondition(ref, 'AutoscalingActive', 'True', 'MetricsRead', 60_000);
    const codes = await awaitMetricReads(ref, routed, 4);
    assert.equal(codes.at(-1), 200);
    await growsAgain(service);
    relay.route([left, await startReplica(lost)]);
    assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);
  });

  it('keeps the size while no pod is left, says so, and goes on when they are back', async () => {
    const service = await startBusyService({ namespace: namespace(), name: 'none-left' }, servers);
    const { ref, history } = service;
    const ports = [...replicas.keys()];
    for (const replica of replicas.values()) await replica.crash();
    await awaitCondition(ref, 'AutoscalingActive', 'False', 'MetricsMissing', 60_000);
    const since = Date.now();
    // Not its reads: it makes none once the API server lists no version of the API.
    await eventually(() => failedReads(ref, since), {
      because: 'the autoscaler has looked again in vain',
      until: ({ length }) => length > 0,
      deadlineMs: 60_000,
    });
    assert.equal(await sizeOf(ref), 3);

    for (const port of ports) await startReplica(port);
    await awaitCondition(ref, 'AutoscalingActive', 'True', 'MetricsRead', 60_000);
    await growsAgain(service);
    assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);
    for (const pod of await servers.start(ref.name, 5)) pod.heldForLong(0);
    await awaitSize(ref, 1, 'without load there is one pod');
  });
});
