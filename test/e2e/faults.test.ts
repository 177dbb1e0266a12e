import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { awaitMetricReads, everShrank, numberOf, SizeHistory } from '../integration/support/autoscaling.ts';
import { eventually } from '../integration/support/eventually.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { testCluster } from '../integration/support/test-run.ts';
import { type Arrivals, type LostRequest, startArrivals } from './support/arrivals.ts';
import { autoscalingActive, metricOfPods, readyPods } from './support/autoscaling.ts';
import { useInstalledChart } from './support/installed-chart.ts';
import { clusterUrl, hasCondition, type PodObject, podsOf, untilServing } from './support/observed.ts';
import { podProcesses, signalPod } from './support/pod-processes.ts';

const METRIC = 'modelservice_requests_per_second_avg15s';
const SERVER = 'server.js';
/**
 * So few that what comes for a pod while it hangs does not fill its queue of 256, however long this machine takes to find
 * it unready.
 */
const PER_SECOND = 20;
/** What the autoscaler keeps two pods for: with one it would be 20 a second, with two 10. */
const TARGET = 12;
/** So many looks of the autoscaler show what it makes of a fault. */
const LOOKS = 4;

describe('scaling while real pods and the API server fail', function () {
  this.timeout(300_000);
  useInstalledChart();
  const namespace = useNamespace('faults');
  const digits = () => ({ namespace: namespace(), name: 'digits' });
  const started: Arrivals[] = [];
  let url: string | undefined;
  let load: Arrivals | undefined;

  before(async () => {
    await apply({ minReplicas: 2, maxReplicas: 2 });
    await untilServing(digits());
    url = await clusterUrl(digits());
    load = start(PER_SECOND);
  });
  beforeEach('two pods share the load', async () => {
    await eventually(() => Promise.all([podNames(), metricOfPods(digits(), METRIC)]), {
      because: 'there are two pods, and each gets half of the requests',
      until: ([pods, values]) =>
        pods.length === 2 && Object.keys(values).length === 2 && Object.values(values).every(isHalf),
      deadlineMs: 120_000,
      intervalMs: 500,
    });
    assert.equal(await readyPods(digits()), 2);
  });
  afterEach('no process stays stopped', async () => {
    for (const pod of await podsOf(digits())) {
      for (const id of await podProcesses(pod, SERVER)) process.kill(id, 'SIGCONT');
    }
  });
  after(() => Promise.all(started.map((arrivals) => arrivals.stop())));

  it('a pod that hangs is left out, which is no reason to scale down, and its requests wait for it', async () => {
    // What waited for the pod is answered all at once, and would have a third pod come and go.
    await apply({ maxReplicas: 2, scaleDownAfterSeconds: 0 });
    const { pod, other } = await twoPods();
    const [history, since] = [await SizeHistory.begin(digits()), Date.now()];
    const before = load?.lost().length ?? 0;
    await signalPod(pod, SERVER, 'SIGSTOP');
    await eventually(() => metricOfPods(digits(), METRIC), {
      because: 'the metric of the pod that hangs is left out',
      until: (values) => Object.keys(values).join() === other.metadata.name,
    });
    await awaitMetricReads(digits(), since, LOOKS);
    const whileReady = await autoscalingActive(digits());
    await eventually(() => stateOf(pod), {
      because: 'the pod gets no more requests',
      until: ({ ready }) => !ready,
    });
    await awaitMetricReads(digits(), Date.now(), LOOKS);
    const whileUnready = await autoscalingActive(digits());
    const sizes = await history.sizes();
    await signalPod(pod, SERVER, 'SIGCONT');

    console.log(
      `      AutoscalingActive ${whileReady?.reason}, then ${whileUnready?.reason}; sizes ${sizes.join(', ')}`,
    );
    assert.deepEqual([whileReady?.status, whileUnready?.status], ['True', 'True']);
    assert.ok(!everShrank(sizes), `sizes: ${sizes}`);
    await eventually(() => metricOfPods(digits(), METRIC), {
      because: 'the pod is counted again',
      until: (values) => pod.metadata.name in values,
    });
    await load?.settled();
    assert.deepEqual(load?.lost().slice(before), [], 'what waited for the pod was answered');
  });

  it('a pod whose server is killed is started again; only what it had in hand or refused until then is lost', async () => {
    // A server that starts anew knows nothing of the last 15 s; by default an autoscaler looks back 5 minutes.
    await apply({ maxReplicas: 2 });
    const { pod } = await twoPods();
    const [history, since] = [await SizeHistory.begin(digits()), Date.now()];
    const before = load?.lost().length ?? 0;
    await signalPod(pod, SERVER, 'SIGKILL');
    await eventually(() => stateOf(pod), {
      because: 'its container was started again and is ready',
      until: ({ ready, restarts }) => ready && restarts === 1,
      deadlineMs: 120_000,
    });
    const readyAt = Date.now();
    await load?.more(10 * PER_SECOND);
    await awaitMetricReads(digits(), readyAt, LOOKS);
    const sizes = await history.sizes();
    await load?.settled();

    const lost = load?.lost().slice(before) ?? [];
    const refused = lost.filter(({ what }) => what === 'ECONNREFUSED');
    const inHand = lost.filter(({ what }) => BROKEN.includes(what));
    const lastMs = Math.max(0, ...lost.map(({ sentAt }) => sentAt - since));
    console.log(
      `      lost: ${inHand.length} that it had in hand, ${refused.length} connections refused, the last sent ${lastMs} ms after its death; ready again after ${readyAt - since} ms`,
    );
    assert.deepEqual(others(lost), []);
    assert.ok(lost.every(({ sentAt }) => sentAt < readyAt));
    assert.ok(inHand.length < PER_SECOND, 'no more than it can have had in hand');
    assert.equal((await autoscalingActive(digits()))?.status, 'True');
    assert.ok(!everShrank(sizes), `sizes: ${sizes}`);
  });

  it('an API server that crashes and comes back loses no request, and scaling goes on', async () => {
    await apply({ maxReplicas: 3 });
    const { components } = testCluster();
    assert.ok(components);
    const history = await SizeHistory.begin(digits());
    const before = load?.lost().length ?? 0;
    await components.apiServer.kill();
    const down = performance.now();
    await load?.more(10 * PER_SECOND);
    await components.apiServer.start();
    const downSeconds = ((performance.now() - down) / 1000).toFixed(1);
    await awaitMetricReads(digits(), Date.now(), LOOKS);
    assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);

    const further = start(PER_SECOND / 2 + TARGET / 2);
    await eventually(() => readyPods(digits()), {
      because: 'more requests bring a third pod',
      until: (ready) => ready === 3,
      deadlineMs: 120_000,
      intervalMs: 500,
    });
    await further.more(PER_SECOND);
    await Promise.all([load?.settled(), further.settled()]);
    console.log(`      it was away for ${downSeconds} s, and a third pod came afterwards`);
    assert.deepEqual([...(load?.lost().slice(before) ?? []), ...further.lost()], []);
    await further.stop();
  });

  function start(perSecond: number): Arrivals {
    const arrivals = startArrivals(url ?? '', 'digits', perSecond);
    started.push(arrivals);
    return arrivals;
  }

  async function apply({ minReplicas = 1, maxReplicas, scaleDownAfterSeconds = 60 }: Size): Promise<void> {
    const policies = [{ type: 'Percent', value: 100, periodSeconds: 15 }];
    const metrics = [{ type: 'RequestsPerSecond', target: { averageValue: TARGET } }];
    const behavior = { scaleDown: { stabilizationWindowSeconds: scaleDownAfterSeconds, policies } };
    const server = { resources: { requests: { cpu: '250m' } } };
    const scaling = { minReplicas, maxReplicas, metrics, behavior };
    await applyManifest(namespace(), modelService('digits', { server, scaling }));
  }

  async function podNames(): Promise<readonly string[]> {
    return (await podsOf(digits())).map(({ metadata }) => metadata.name);
  }

  async function stateOf({ metadata }: PodObject): Promise<{ readonly ready: boolean; readonly restarts: number }> {
    const found = (await podsOf(digits())).find((pod) => pod.metadata.uid === metadata.uid);
    if (found === undefined) throw new Error(`Pod ${metadata.name} is gone.`);
    return { ready: hasCondition(found, 'Ready'), restarts: found.status.containerStatuses?.[0]?.restartCount ?? 0 };
  }

  async function twoPods(): Promise<{ readonly pod: PodObject; readonly other: PodObject }> {
    const [pod, other] = await podsOf(digits());
    assert.ok(pod && other);
    return { pod, other };
  }
});

interface Size {
  /** Default: 1, though the load keeps two. */
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  /** How long the autoscaler waits before it removes a pod, in seconds. Default: 60. */
  readonly scaleDownAfterSeconds?: number;
}

/** How a connection ends whose server is gone. */
const BROKEN = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

function others(lost: readonly LostRequest[]): readonly LostRequest[] {
  return lost.filter(({ what }) => what !== 'ECONNREFUSED' && !BROKEN.includes(what));
}

/** About half of all that is asked for. */
function isHalf(quantity: string): boolean {
  return Math.abs(numberOf(quantity) - PER_SECOND / 2) < PER_SECOND / 10;
}
