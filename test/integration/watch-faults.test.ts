import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { eventually } from './support/eventually.ts';
import { type Fault, type FaultProxy, startFaultProxy } from './support/fault-proxy.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount } from './support/operator-account.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

const SERVICES = ['first', 'second', 'third'];
/** Short, so that the suite need not wait for the default; a healthy watch that is quiet for so long only begins anew. */
const SILENCE_TIMEOUT = '3s';
/** Every type that the operator watches here. */
const WATCHED = [
  'deployments',
  'endpointslices',
  'horizontalpodautoscalers',
  'modelservices',
  'poddisruptionbudgets',
  'pods',
  'services',
];
const RECOVERY_DEADLINE_MS = 90_000;

interface Scenario {
  readonly title: string;
  readonly watch: Fault;
  /** Lists fail too, so that what makes a client list again does not save it. */
  readonly list?: Fault;
  /** The client must have come back and met the fault again before it is lifted. */
  readonly meetsAgain: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { title: 'are cut', watch: { kind: 'cut' }, meetsAgain: true },
  { title: 'answer 410', watch: { kind: 'status', code: 410 }, meetsAgain: true },
  { title: 'expire in the stream', watch: { kind: 'errorEvent', code: 410 }, meetsAgain: true },
  { title: 'answer 429', watch: { kind: 'status', code: 429, retryAfterSeconds: 1 }, meetsAgain: true },
  { title: 'answer 500', watch: { kind: 'status', code: 500 }, meetsAgain: true },
  { title: 'fail in the stream', watch: { kind: 'errorEvent', code: 500 }, meetsAgain: true },
  { title: 'fall silent', watch: { kind: 'silence' }, meetsAgain: false },
  {
    title: 'answer 410 while lists answer 500',
    watch: { kind: 'status', code: 410 },
    list: { kind: 'status', code: 500 },
    meetsAgain: true,
  },
  {
    title: 'answer 410 while lists answer 429',
    watch: { kind: 'errorEvent', code: 410 },
    list: { kind: 'status', code: 429, retryAfterSeconds: 1 },
    meetsAgain: true,
  },
];

describe('An operator whose watches fail', function () {
  this.timeout(180_000);
  const namespace = useNamespace('faults');
  const api = testApi;
  let proxy: FaultProxy;
  let kubeconfig: string;

  before('start the proxy, create the services', async () => {
    proxy = await startFaultProxy(testCluster());
    kubeconfig = await testCluster().kubeconfigFor(await createOperatorAccount(namespace()), { server: proxy.url });
    for (const name of SERVICES) await createService(name, 'none');
  });
  after('stop the proxy', () => proxy?.stop());

  for (const [index, { title, watch, list, meetsAgain }] of SCENARIOS.entries()) {
    describe(`because they ${title}`, () => {
      // An operator for each: how long one waits before it tries again depends on what befell it before.
      useOperator(() => ({
        kubeconfig,
        namespaces: [namespace()],
        args: [`--watch-silence-timeout=${SILENCE_TIMEOUT}`],
      }));

      it('reconciles every change made meanwhile', async () => {
        const value = title.replaceAll(' ', '-');
        const created = `new-${index}`;
        for (const name of SERVICES) await awaitService(name);
        await eventually(() => proxy.openWatches(), {
          because: 'ModelServices and their children are watched',
          until: (watched) => isDeepStrictEqual(watched, WATCHED),
        });
        if (list !== undefined) proxy.inject({ on: 'list', fault: list });
        proxy.inject({ on: 'watch', fault: watch });
        const atOnce = proxy.injected();
        assert.equal(atOnce, WATCHED.length, 'the fault befell every open watch');

        await createService(created, value);
        for (const name of SERVICES) await setValue(name, 'in-between');
        await api().delete(RESOURCES.services, { namespace: namespace(), name: 'first' });
        await api().mergePatch(RESOURCES.deployments, { namespace: namespace(), name: 'second' }, FOREIGN_EDIT);
        for (const name of SERVICES) await setValue(name, value);
        if (meetsAgain) {
          await eventually(() => proxy.injected(), {
            because: 'the operator came back and met the fault again',
            until: (count) => count > atOnce,
          });
        }
        proxy.heal();

        for (const name of [...SERVICES, created]) await deploymentCarries(name, value);
        await awaitService('first');
        await eventually(() => api().get(RESOURCES.modelServices, { namespace: namespace(), name: created }), {
          because: 'the new ModelService has a status for its newest spec',
          until: ({ metadata, status }) => status?.observedGeneration === metadata.generation,
          deadlineMs: RECOVERY_DEADLINE_MS,
        });
      });
    });
  }

  async function createService(name: string, value: string): Promise<void> {
    await api().create(RESOURCES.modelServices, {
      metadata: { namespace: namespace(), name },
      spec: { model: { uri: 'file:///examples/mnist/model' }, server: { env: [{ name: 'VALUE', value }] } },
    });
  }

  async function setValue(name: string, value: string): Promise<void> {
    const patch = { spec: { server: { env: [{ name: 'VALUE', value }] } } };
    await api().mergePatch(RESOURCES.modelServices, { namespace: namespace(), name }, patch);
  }

  async function deploymentCarries(name: string, value: string): Promise<void> {
    const state = async () => {
      const pod = podSpecOf(await api().get(RESOURCES.deployments, { namespace: namespace(), name }));
      return { value: valueIn(pod), edited: pod.automountServiceAccountToken };
    };
    await eventually(state, {
      because: `Deployment ${name} carries VALUE=${value} and nothing of somebody else's`,
      until: (seen) => seen.value === value && seen.edited === false,
      deadlineMs: RECOVERY_DEADLINE_MS,
    });
  }

  async function awaitService(name: string): Promise<void> {
    await eventually(() => api().get(RESOURCES.services, { namespace: namespace(), name }), {
      because: `Service ${name} is there`,
      deadlineMs: RECOVERY_DEADLINE_MS,
    });
  }
});

/** Of a field that the operator sets. */
const FOREIGN_EDIT = { spec: { template: { spec: { automountServiceAccountToken: true } } } };

interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly containers: readonly {
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
  }[];
}

function podSpecOf(deployment: AnyObject): PodSpec {
  return (deployment.spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
}

function valueIn({ containers }: PodSpec): string | undefined {
  return containers[0]?.env?.find(({ name }) => name === 'VALUE')?.value;
}
