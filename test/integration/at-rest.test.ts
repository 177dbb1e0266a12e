import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { describeAuditEvent, writesBy } from '../cluster/audit-log.ts';
import type { ServiceAccountRef } from '../cluster/test-cluster.ts';
import { conditionOf } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { type FaultProxy, startFaultProxy, workWrites } from './support/fault-proxy.ts';
import { inGroups } from './support/in-groups.ts';
import { modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount, usernameOf } from './support/operator-account.ts';
import { awaitLeading, type OperatorProcess, startOperator } from './support/operator-process.ts';
import { makePodsReady } from './support/ready-pods.ts';
import { RESOURCES } from './support/resource-types.ts';
import { testApi, testCluster } from './support/test-run.ts';

const SERVICES = 200;
/** Every fifth has an HorizontalPodAutoscaler, whose status its controller keeps writing. */
const SCALED_EVERY = 5;
/** How long nothing may be written. The full minute is for `MODELSERVICE_TEST_REST_SECONDS=60`. */
const REST_SECONDS = Number(process.env.MODELSERVICE_TEST_REST_SECONDS ?? '15');

describe(`An operator of ${SERVICES} ModelServices`, function () {
  this.timeout(300_000 + 3 * REST_SECONDS * 1000);
  const namespace = useNamespace('rest');
  let account: ServiceAccountRef;
  let kubeconfig: string;
  let proxy: FaultProxy;
  let operator: OperatorProcess;

  before('bring all of them to rest', async () => {
    // Every request passes it, so that writes are counted on clusters whose audit log we cannot read, too.
    proxy = await startFaultProxy(testCluster());
    account = await createOperatorAccount(namespace());
    kubeconfig = await testCluster().kubeconfigFor(account, { server: proxy.url });
    operator = await startOperator({ kubeconfig, namespaces: [namespace()] });
    const indices = Array.from({ length: SERVICES }, (_, index) => index);
    await inGroups(indices, 20, (index) => createService(index));
    await eventually(readyServices, {
      because: 'all of them are ready',
      until: (count) => count === SERVICES,
      deadlineMs: 240_000,
      intervalMs: 1000,
    });
    await quiet();
  });
  after(async () => {
    await operator?.stop();
    await proxy?.stop();
  });

  it(`writes nothing for ${REST_SECONDS} s at rest`, async () => {
    const before = await writes();
    assert.ok(before.length >= SERVICES, 'the writes that created the children were counted');
    await delay(REST_SECONDS * 1000);
    assert.deepEqual((await writes()).slice(before.length), []);
  });

  it(`writes nothing for ${REST_SECONDS} s after its restart`, async () => {
    const before = await writes();
    await operator.stop();
    operator = await startOperator({ kubeconfig, namespaces: [namespace()] });
    await awaitLeading(operator);
    await delay(REST_SECONDS * 1000);
    assert.deepEqual((await writes()).slice(before.length), []);
  });

  it('writes again when there is something to do', async () => {
    const before = await writes();
    const ref = { namespace: namespace(), name: nameOf(0) };
    await testApi().mergePatch(RESOURCES.modelServices, ref, { spec: { pod: { labels: { touched: 'yes' } } } });
    await eventually(writes, {
      because: 'the Deployment and the status are written',
      until: ({ length }) => length >= before.length + 2,
    });
  });

  async function createService(index: number): Promise<void> {
    const scaling = index % SCALED_EVERY === 0 ? { scaling: { maxReplicas: 3 } } : {};
    const resources = { server: { resources: { requests: { cpu: '100m' } } } };
    const { spec } = modelService(nameOf(index), { ...resources, ...scaling });
    await testApi().create(RESOURCES.modelServices, {
      metadata: { namespace: namespace(), name: nameOf(index) },
      spec,
    });
  }

  /** Plays the kubelet for the pods that have come since, then counts. */
  async function readyServices(): Promise<number> {
    await makePodsReady(namespace());
    const services = await testApi().list(RESOURCES.modelServices, { namespace: namespace() });
    return services.filter((service) => conditionOf(service, 'Ready')?.status === 'True').length;
  }

  /** What the operator wrote so far, but for the Lease: by the audit log where there is one, and at the proxy. */
  async function writes(): Promise<readonly string[]> {
    const atProxy = workWrites(proxy).map(({ method, path }) => `${method} ${path}`);
    const { auditEvents } = testCluster();
    if (auditEvents === undefined) return atProxy;
    const audited = writesBy(await auditEvents(), usernameOf(account))
      .filter(({ objectRef }) => objectRef?.resource !== 'leases')
      .map(describeAuditEvent);
    assert.equal(audited.length, atProxy.length, 'the audit log and the proxy agree');
    return audited;
  }

  /** Waits until there was no write between two looks. */
  async function quiet(): Promise<void> {
    let last = -1;
    await eventually(
      () => {
        const before = last;
        last = workWrites(proxy).length;
        return last - before;
      },
      {
        because: 'the operator has come to rest',
        until: (written) => written === 0,
        deadlineMs: 60_000,
        intervalMs: 3000,
      },
    );
  }
});

function nameOf(index: number): string {
  return `rest-${index}`;
}
