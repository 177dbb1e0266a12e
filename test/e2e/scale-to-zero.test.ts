import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { Agent } from 'undici';
import { eventually } from '../integration/support/eventually.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { RESOURCES } from '../integration/support/resource-types.ts';
import { testApi } from '../integration/support/test-run.ts';
import { startArrivals } from './support/arrivals.ts';
import { podsOfProgram, useInstalledChart } from './support/installed-chart.ts';
import { MNIST_DIGIT, predict } from './support/mnist.ts';
import {
  clusterUrl,
  conditionOf,
  getModelService,
  hasCondition,
  type ModelServiceObject,
  podsOf,
  untilServing,
} from './support/observed.ts';
import { Timeline } from './support/timeline.ts';

const IDLE_AFTER = '10s';
const AT_ONCE = 50;
const GATEWAY_PODS = 2;

describe('a service that nobody asks', function () {
  this.timeout(300_000);
  useInstalledChart();
  const namespace = useNamespace('zero');
  const digits = () => ({ namespace: namespace(), name: 'digits' });

  before(async () => {
    const server = { resources: { requests: { cpu: '250m' } } };
    const scaling = { minReplicas: 0, maxReplicas: 3, idleAfter: IDLE_AFTER };
    await applyManifest(namespace(), modelService('digits', { server, scaling }));
    await untilServing(digits());
  });

  it(`goes to zero, and ${AT_ONCE} requests that come then are all answered after a cold start`, async () => {
    const url = await clusterUrl(digits());
    assert.equal((await predict(url, 'digits')).digit, MNIST_DIGIT);
    const timeline = new Timeline();
    timeline.mark('the last request was answered');
    const ready = conditionOf(await atZero(), 'Ready');
    timeline.mark(`it is at zero: Ready ${ready?.status}, ${ready?.reason}: ${ready?.message}`);
    assert.equal(ready?.status, 'True');
    await eventually(() => podsOf(digits()), {
      because: 'no pod is left',
      until: ({ length }) => length === 0,
      deadlineMs: 120_000,
    });
    timeline.mark(`no pod is left, and ${(await held()).length} pods of the gateway stand in for them`);
    assert.equal((await held()).length, GATEWAY_PODS);

    timeline.mark(`${AT_ONCE} requests are sent`);
    const answers = Promise.allSettled(askAtOnce(url));
    await eventually(() => getModelService(digits()), {
      because: 'the gateway asked for a pod',
      until: ({ status }) => status?.scaling?.wakeRequestTime !== undefined,
    });
    timeline.mark('the gateway asked for a pod');
    const waking = await eventually(() => getModelService(digits()), {
      because: 'it says that it wakes',
      until: ({ status }) => status?.scaling?.state === 'Waking',
    });
    const meanwhile = conditionOf(waking, 'Ready');
    timeline.mark(`it wakes: Ready ${meanwhile?.status}, ${meanwhile?.reason}: ${meanwhile?.message}`);
    const settled = await answers;
    timeline.mark('the last of them was answered');
    const service = await awake();
    timeline.mark('it is awake, and the gateway is out of the way');
    console.log(timeline.toString().replace(/^/gm, '      '));
    console.log(`      ${JSON.stringify(service.status?.scaling?.lastColdStart)}`);

    const lost = settled.filter((answer) => answer.status === 'rejected').map(({ reason }) => String(reason));
    assert.deepEqual(lost, []);
    assert.deepEqual(
      settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
      Array.from({ length: AT_ONCE }, () => MNIST_DIGIT),
    );
    const { requestTime = '', readyTime = '', phases = [] } = service.status?.scaling?.lastColdStart ?? {};
    const inAll = (Date.parse(readyTime) - Date.parse(requestTime)) / 1000;
    const inPhases = phases.reduce((sum, { seconds }) => sum + seconds, 0);
    assert.ok(phases.some(({ name }) => name === 'Loading'));
    assert.ok(Math.abs(inAll - inPhases) < 1.5, `${inPhases} s in phases, ${inAll} s in all`);
  });

  it('loses nothing of what comes while its last pod ends, while it wakes and when it is awake', async () => {
    const url = await clusterUrl(digits());
    await atZero();
    // Its pod still ends.
    assert.notEqual((await podsOf(digits())).length, 0);
    const arrivals = startArrivals(url, 'digits', 20);
    await arrivals.more(20);
    await awake();
    await arrivals.more(200);
    await arrivals.stop();
    console.log(`      ${arrivals.answered()} requests answered, ${arrivals.lost().length} lost`);
    assert.deepEqual(arrivals.lost(), []);
  });

  it('leaves no gateway behind once no service may go to zero', async () => {
    await testApi().delete(RESOURCES.modelServices, digits());
    await eventually(() => podsOfProgram('gateway'), {
      because: 'the gateway has no pods',
      until: ({ length }) => length === 0,
      deadlineMs: 120_000,
    });
  });

  async function atZero(): Promise<ModelServiceObject> {
    return await eventually(() => getModelService(digits()), {
      because: 'it is at zero because nobody asks',
      until: (service) => service.status?.scaling?.state === 'Idle' && conditionOf(service, 'Ready')?.reason === 'Idle',
      deadlineMs: 120_000,
    });
  }

  async function awake(): Promise<ModelServiceObject> {
    await untilServing(digits());
    const pods = await podsOf(digits());
    assert.ok(pods.some((pod) => hasCondition(pod, 'Ready')));
    await eventually(held, { because: 'the slice is empty', until: ({ length }) => length === 0 });
    return await eventually(() => getModelService(digits()), {
      because: 'the status tells how long the cold start took',
      until: ({ status }) => status?.scaling?.lastColdStart?.phases?.some(({ name }) => name === 'Loading') ?? false,
    });
  }

  /** Pods of the gateway that stand in the Service for the pods that there are not. */
  async function held(): Promise<readonly unknown[]> {
    const slice = await testApi().get(RESOURCES.endpointSlices, { namespace: namespace(), name: 'digits--gateway' });
    return (slice.endpoints as readonly unknown[] | null) ?? [];
  }
});

/** The digits that so many requests at the same time see, each on a connection of its own. */
function askAtOnce(url: string): readonly Promise<number>[] {
  const dispatcher = new Agent({ pipelining: 0, headersTimeout: 120_000, connect: { timeout: 60_000 } });
  const asked = Array.from({ length: AT_ONCE }, () => predict(url, 'digits', { dispatcher }));
  void Promise.allSettled(asked).then(() => dispatcher.close());
  return asked.map(async (answer) => (await answer).digit);
}
