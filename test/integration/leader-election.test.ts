import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import type { ServiceAccountRef } from '../cluster/test-cluster.ts';
import { field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { type FaultProxy, startFaultProxy, workWrites } from './support/fault-proxy.ts';
import { inGroups } from './support/in-groups.ts';
import { modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount, leaseNameOf, OPERATOR_RELEASE } from './support/operator-account.ts';
import { awaitLeading, type OperatorProcess, startOperator } from './support/operator-process.ts';
import { lastLines } from './support/program-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

/** The thousand of a bench is for `MODELSERVICE_TEST_CRASH_SERVICES=1000`. */
const SERVICES = Number(process.env.MODELSERVICE_TEST_CRASH_SERVICES ?? '100');
const CONVERGED_MS = 120_000 + 500 * SERVICES;
const LEASE_MS = 20_000;
/** Shorter than the chart's, since suites wait for it; long enough for a busy machine. */
const SHORT_LEASE = [
  `--leader-elect-lease-duration=${LEASE_MS / 1000}s`,
  '--leader-elect-renew-deadline=18s',
  '--leader-elect-retry-period=500ms',
];
/** Nobody waits for it to run out. */
const LONG_LEASE = ['--leader-elect-lease-duration=600s', '--leader-elect-renew-deadline=500s'];
/** The default of the operator. */
const WORKERS = 4;
const DAY_MS = 86_400_000;

/** An operator, and all that it says to the API server. */
interface Candidate {
  readonly operator: OperatorProcess;
  readonly proxy: FaultProxy;
}

describe('Two operators', function () {
  this.timeout(300_000 + 2 * CONVERGED_MS);
  const namespace = useNamespace('leader');
  const candidates: Candidate[] = [];
  let account: ServiceAccountRef;
  let standby: Candidate;

  before('make the account', async () => {
    account = await createOperatorAccount(namespace());
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const [index, { operator }] of candidates.entries()) {
      console.log(`The end of the log of operator ${index}:\n${lastLines(await operator.logs(), 40)}`);
    }
  });
  after('stop the operators', async () => {
    for (const { operator, proxy } of candidates) {
      operator.kill('SIGKILL');
      await operator.exited;
      await proxy.stop();
    }
  });

  it(`go on with ${SERVICES} ModelServices when the leader is killed among them, once its lease has run out`, async () => {
    const leader = await startCandidate(SHORT_LEASE);
    await awaitLeading(leader.operator);
    standby = await startCandidate(SHORT_LEASE);
    leader.proxy.afterWrites(2 * SERVICES, () => leader.operator.kill('SIGKILL'));
    const names = Array.from({ length: SERVICES }, (_, index) => `digits-${index}`);
    await inGroups(names, 20, (name) => create(name));
    assert.equal(await leader.operator.exited, 'signal SIGKILL');
    assert.deepEqual(standby.proxy.writes(), [], 'a standby writes nothing');
    await carriedOut(names, '');

    const lastSign = leader.proxy.writes().findLast(({ resource }) => resource === 'leases');
    const [takeover] = standby.proxy.writes();
    const [firstWork] = workWrites(standby.proxy);
    assert.ok(lastSign && takeover && firstWork);
    assert.equal(takeover.resource, 'leases');
    const waitedMs = takeover.receivedMs - lastSign.receivedMs;
    assert.ok(waitedMs >= LEASE_MS, `the lease of ${LEASE_MS} ms was taken after ${waitedMs} ms`);
    console.log(
      `      Of ${SERVICES} services ${workWrites(leader.proxy).length} writes were the former leader's; the standby took the ` +
        `lease of ${LEASE_MS / 1000} s ${seconds(waitedMs)} after its last renewal, and wrote ${seconds(firstWork.receivedMs - takeover.receivedMs)} later`,
    );
  });

  it('are one again when the leader stood still for longer than its lease: it writes nothing more, and ends', async () => {
    const leader = standby;
    standby = await startCandidate(SHORT_LEASE);
    const names = Array.from({ length: 20 }, (_, index) => `digits-${index}`);
    const done = workWrites(leader.proxy).length;
    leader.proxy.holdAnswers();
    await Promise.all(names.map((name) => setValue(name, 'first')));
    await eventually(() => workWrites(leader.proxy).length - done, {
      because: 'each of its workers waits for the answer to a write, and the rest is queued',
      until: (count) => count >= WORKERS,
    });
    leader.operator.kill('SIGSTOP');
    await awaitLeading(standby.operator);
    await Promise.all(names.map((name) => setValue(name, 'second')));
    await carriedOut(names, 'second');

    // The answers are the first that it hears when it goes on.
    leader.proxy.heal();
    const before = leader.proxy.writes();
    leader.operator.kill('SIGCONT');
    assert.equal(await leader.operator.exited, 'exit status 1');
    assert.deepEqual(leader.proxy.writes().slice(before.length), []);
    assert.match(await leader.operator.logs(), /"Lost the lease"/);
  });

  it('keep to one leader while their clocks are set, and change at once when it is stopped', async () => {
    await standby.operator.stop();
    const leader = await startCandidate(LONG_LEASE, -DAY_MS);
    await awaitLeading(leader.operator);
    standby = await startCandidate(LONG_LEASE, DAY_MS);
    for (const { operator } of [leader, standby]) operator.kill('SIGUSR2');
    const renewals = () => leader.proxy.writes().filter(({ resource }) => resource === 'leases').length;
    const before = renewals();
    await eventually(renewals, { because: 'it was renewed some times', until: (count) => count >= before + 3 });
    assert.deepEqual(standby.proxy.writes(), []);
    const renewTime = String(field(await lease(), 'spec', 'renewTime'));
    assert.ok(Date.parse(renewTime) < Date.now() - DAY_MS / 2, `the leader's clock jumped: ${renewTime}`);

    const names = ['last-0', 'last-1', 'last-2', 'last-3'];
    await Promise.all(names.map((name) => create(name)));
    assert.equal(await leader.operator.stop(), 'exit status 0');
    await awaitLeading(standby.operator);
    await carriedOut(names, '');
    const release = leader.proxy.writes().at(-1);
    const [takeover] = standby.proxy.writes();
    assert.ok(release && takeover);
    assert.deepEqual([release.resource, takeover.resource], ['leases', 'leases']);
    assert.ok(release.receivedMs < takeover.receivedMs);
    assert.match(String(field(await lease(), 'spec', 'holderIdentity')), /^.+_[-0-9a-f]{36}$/);
  });

  /** @param jumpMs by how much its clock is set at each SIGUSR2 */
  async function startCandidate(args: readonly string[], jumpMs = 0): Promise<Candidate> {
    const proxy = await startFaultProxy(testCluster());
    const kubeconfig = await testCluster().kubeconfigFor(account, { server: proxy.url });
    const env = {
      NODE_OPTIONS: `--import=${new URL('support/jumping-clock.ts', import.meta.url)}`,
      JUMPING_CLOCK_MS: String(jumpMs),
    };
    const operator = await startOperator({ kubeconfig, namespaces: [namespace()], args, env });
    candidates.push({ operator, proxy });
    return { operator, proxy };
  }

  async function create(name: string): Promise<void> {
    const { spec } = modelService(name, { server: { env: [{ name: 'VALUE', value: '' }] } });
    await testApi().create(RESOURCES.modelServices, { metadata: { namespace: namespace(), name }, spec });
  }

  async function setValue(name: string, value: string): Promise<void> {
    const patch = { spec: { server: { env: [{ name: 'VALUE', value }] } } };
    await testApi().mergePatch(RESOURCES.modelServices, { namespace: namespace(), name }, patch);
  }

  /** Waits until each of these services and its children are as its spec says, and there is one child of each kind. */
  async function carriedOut(names: readonly string[], value: string): Promise<void> {
    const missing = async (): Promise<readonly string[]> => {
      const [services, deployments] = await Promise.all([listed('modelServices'), listed('deployments')]);
      const current = new Set(
        services
          .filter(({ metadata, status }) => status?.observedGeneration === metadata.generation)
          .map(({ metadata }) => metadata.name),
      );
      const made = new Set(
        deployments.filter((found) => valueIn(found) === value).map(({ metadata }) => metadata.name),
      );
      return names.filter((name) => !current.has(name) || !made.has(name));
    };
    await eventually(missing, {
      because: 'all services are as they should be',
      until: (left) => left.length === 0,
      deadlineMs: CONVERGED_MS,
      intervalMs: 500,
    });
    const all = (await listed('modelServices')).map(({ metadata }) => metadata.name);
    for (const kind of ['deployments', 'services'] as const) {
      assert.deepEqual((await listed(kind)).map(({ metadata }) => metadata.name).toSorted(), all.toSorted(), kind);
    }
  }

  async function listed(kind: 'modelServices' | 'deployments' | 'services'): Promise<readonly AnyObject[]> {
    return await testApi().list(RESOURCES[kind], { namespace: namespace() });
  }

  function lease(): Promise<AnyObject> {
    return testApi().get(RESOURCES.leases, { namespace: namespace(), name: leaseNameOf(OPERATOR_RELEASE) });
  }
});

function valueIn(deployment: AnyObject): unknown {
  const env = field(deployment, 'spec', 'template', 'spec', 'containers', 0, 'env');
  const entry = (env as readonly { readonly name: string; readonly value?: string }[] | undefined)?.find(
    ({ name }) => name === 'VALUE',
  );
  return entry === undefined ? undefined : (entry.value ?? '');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
