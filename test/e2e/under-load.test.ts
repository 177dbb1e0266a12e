import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { field } from '../integration/support/children.ts';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { RESOURCES } from '../integration/support/resource-types.ts';
import { testApi } from '../integration/support/test-run.ts';
import { createAnotherModel } from './support/another-model.ts';
import { CHART, PROGRAM_NAMES, podsOfProgram, upgradeChart, useInstalledChart } from './support/installed-chart.ts';
import {
  clusterUrl,
  conditionOf,
  getModelService,
  hasCondition,
  type PodObject,
  podsOf,
  untilGone,
  untilServing,
} from './support/observed.ts';
import { losesNothing } from './support/phases.ts';
import { signalPod } from './support/pod-processes.ts';
import { type SteadyLoad, startSteadyLoad } from './support/steady-load.ts';

const WRONG_DIGEST = `sha256:${'0'.repeat(64)}`;
/** At least, for each interruption: seven of them make more than 100,000. */
const REQUESTS_A_PHASE = 15_000;
const REQUESTS_IN_ALL = 100_000;
/** What the chart has of each by default. */
const [OPERATOR_PODS, METRICS_API_PODS, GATEWAY_PODS] = [2, 2, 2];
const MODEL = { uri: 'file:///examples/mnist/model', version: '1' };

describe('a service of two pods under steady load', function () {
  this.timeout(600_000);
  useInstalledChart();
  const namespace = useNamespace('load');
  const digits = () => ({ namespace: namespace(), name: 'digits' });
  const server = { resources: { requests: { cpu: '250m' } } };
  const apply = (spec: Readonly<Record<string, unknown>> = {}) =>
    applyManifest(namespace(), modelService('digits', { model: MODEL, server, scaling: { minReplicas: 2 }, ...spec }));
  let load: SteadyLoad | undefined;

  before(async () => {
    await apply();
    // For its sake there is a gateway.
    const scaling = { minReplicas: 0, maxReplicas: 1, idleAfter: '1h' };
    await applyManifest(namespace(), modelService('sleeper', { scaling }));
    await untilServing({ namespace: namespace(), name: 'sleeper' });
    await untilServing(digits());
    load = startSteadyLoad(await clusterUrl(digits()), 'digits', { clients: 16, pauseMs: 10 });
  });
  after(() => load?.stop());

  losing('a model whose content is not what its digest says is refused', async () => {
    const before = await podNames();
    await apply({ model: { ...MODEL, digest: WRONG_DIGEST } });
    const service = await eventually(() => getModelService(digits()), {
      because: 'the ModelService tells of the digest',
      until: ({ status }) => status?.conditions?.some(({ reason }) => reason === 'DigestMismatch') ?? false,
      deadlineMs: 120_000,
    });
    assert.equal(conditionOf(service, 'Ready')?.status, 'True');
    const failing = new Set([...(await podNames())].filter((name) => !before.has(name)));
    await apply();
    await untilServing(digits());
    await untilGone(digits(), failing);
    assert.deepEqual(await podNames(), before, 'the pods from before serve on');
  });

  losing('the model is replaced by another of version 2, pod by pod', async () => {
    const before = await podNames();
    const uri = await createAnotherModel(namespace(), 'another');
    const was = (await getModelService(digits())).status?.models?.[0]?.digest;
    assert.equal(load?.answeredBy('2'), 0);
    await apply({ model: { uri, version: '2' } });
    await untilServing(digits());
    await untilGone(digits(), before);
    assert.equal((await podNames()).size, 2);
    const is = await eventually(async () => (await getModelService(digits())).status?.models?.[0]?.digest, {
      because: 'the status tells of the other content',
      until: (digest) => digest !== undefined && digest !== was,
    });
    console.log(
      `      version 1 answered ${load?.answeredBy('1')}, version 2 ${load?.answeredBy('2')}; ${was} -> ${is}`,
    );
    assert.ok((load?.answeredBy('2') ?? 0) > 0);
  });

  losing('it is scaled from two pods to three and back', async () => {
    await kubectl(['scale', 'modelservice', 'digits', '--replicas=3', '--namespace', namespace()]);
    await eventually(() => servingPods(), {
      because: 'three pods are ready',
      until: ({ length }) => length === 3,
      deadlineMs: 120_000,
    });
    await load?.more(3000);
    await kubectl(['scale', 'modelservice', 'digits', '--replicas=2', '--namespace', namespace()]);
    await eventually(() => podsOf(digits()), {
      because: 'two pods are left',
      until: ({ length }) => length === 2,
      deadlineMs: 120_000,
    });
  });

  losing('the pod of the leading operator is deleted, and another takes over', async () => {
    const models = await podNames();
    const leader = await leadingOperator();
    await kubectl(['delete', 'pod', leader, '--namespace', CHART.namespace]);
    await eventually(() => podsOfProgram('operator'), {
      because: 'another operator is ready beside the one that was there',
      until: (pods) =>
        pods.length === OPERATOR_PODS &&
        pods.every((found) => found.metadata.name !== leader && hasCondition(found, 'Ready')),
      deadlineMs: 120_000,
    });
    assert.deepEqual(await podNames(), models);
  });

  losing('the process of the leading operator is killed, and another takes over', async () => {
    const models = await podNames();
    const leader = await leadingOperator();
    const named = async () => (await podsOfProgram('operator')).find(({ metadata }) => metadata.name === leader);
    const pod = await named();
    assert.ok(pod);
    await signalPod(pod, 'operator.js', 'SIGKILL');
    await eventually(named, {
      because: 'its container was started again and is ready',
      until: (found) => found?.status.containerStatuses?.[0]?.restartCount === 1 && hasCondition(found, 'Ready'),
      deadlineMs: 120_000,
    });
    await eventually(leadingOperator, {
      because: 'another leads',
      until: (name) => name !== leader,
      deadlineMs: 120_000,
    });
    assert.deepEqual(await podNames(), models);
  });

  losing('helm upgrade replaces the pods of the chart and no pod of a model', async () => {
    const models = await podNames();
    const before = await chartPods();
    assert.equal(before.length, OPERATOR_PODS + METRICS_API_PODS + GATEWAY_PODS);
    await upgradeChart({ logLevel: 'debug' });
    const kept = (await chartPods()).filter((id) => before.includes(id));
    assert.deepEqual(kept, [], 'every pod of the chart is new');
    await untilServing(digits());
    assert.deepEqual(await podNames(), models);
  });

  losing('one of two pods is evicted, whose requests under way are answered', async () => {
    const [name = ''] = await podNames();
    const log = kubectl(['logs', '--namespace', namespace(), '--follow', '--tail=1', name]);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace: namespace(), name } };
    const path = `/api/v1/namespaces/${namespace()}/pods/${name}/eviction`;
    await kubectl(['create', '--raw', path, '-f', '-'], { input: JSON.stringify(eviction) });
    assert.match((await log).trim().split('\n').at(-1) ?? '', /"Drained"/);
    await untilGone(digits(), new Set([name]));
    await untilServing(digits());
    assert.equal((await servingPods()).length, 2);
  });

  it(`no request of ${REQUESTS_IN_ALL} was lost`, async () => {
    const outcome = await load?.stop();
    console.log(`      ${outcome?.answered} requests answered, ${outcome?.failures.length} lost in all`);
    assert.deepEqual(outcome?.failures, []);
    assert.ok((outcome?.answered ?? 0) >= REQUESTS_IN_ALL);
  });

  /** A test of an interruption that may not lose a request. */
  function losing(name: string, interrupt: () => Promise<void>): void {
    it(name, async () => {
      assert.ok(load);
      await losesNothing(load, { name, requests: REQUESTS_A_PHASE }, interrupt);
    });
  }

  /** Name of the pod that holds the lease. */
  async function leadingOperator(): Promise<string> {
    const ref = { namespace: CHART.namespace, name: 'modelservice-operator' };
    const holder = await eventually(
      async () => field(await testApi().get(RESOURCES.leases, ref), 'spec', 'holderIdentity'),
      { because: 'an operator leads', until: (identity) => typeof identity === 'string' && identity !== '' },
    );
    return String(holder).split('_')[0] ?? '';
  }

  async function podNames(): Promise<Set<string>> {
    return new Set((await podsOf(digits())).map(({ metadata }) => metadata.name));
  }

  /** Unique ids of the pods of all of the chart's programs. */
  async function chartPods(): Promise<readonly (string | undefined)[]> {
    const pods = await Promise.all(PROGRAM_NAMES.map(podsOfProgram));
    return pods
      .flat()
      .filter(stays)
      .map(({ metadata }) => metadata.uid);
  }

  async function servingPods(): Promise<readonly PodObject[]> {
    return (await podsOf(digits())).filter((pod) => stays(pod) && hasCondition(pod, 'Ready'));
  }
});

function stays({ metadata }: PodObject): boolean {
  return metadata.deletionTimestamp === undefined;
}
