import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { request } from 'undici';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { createNamespace, useNamespace } from '../integration/support/namespaces.ts';
import { type PodDiscovery, startPodDiscovery } from '../integration/support/pod-discovery.ts';
import { usePrometheus } from '../integration/support/prometheus.ts';
import { RESOURCES } from '../integration/support/resource-types.ts';
import { documentedJob } from '../integration/support/scrape-config.ts';
import { isAvailable } from '../integration/support/suite-metrics-api.ts';
import { testApi, testCluster } from '../integration/support/test-run.ts';
import { autoscalerEvents, autoscalingActive, metricOfPods, readyPods } from './support/autoscaling.ts';
import { GPU_STAND_IN } from './support/gpu-stand-in.ts';
import { podsOfProgram, uninstallChart, useInstalledChart } from './support/installed-chart.ts';
import { clusterUrl, conditionOf, getModelService, hasCondition, podsOf, untilServing } from './support/observed.ts';
import { type LoadShape, type SteadyLoad, startSteadyLoad } from './support/steady-load.ts';
import { Timeline } from './support/timeline.ts';

const METRIC = 'modelservice_in_flight_avg15s';
/** Less than the target of 2 in flight: what one pod is enough for. */
const LIGHT = { clients: 2, pauseMs: 50 };
/** Each takes the server much longer than us: nearly all are in flight all the time, far more than 2 for each pod. */
const HEAVY = { clients: 48, pauseMs: 0, rows: 64 };
/** Answered while a pod waits for a GPU. */
const REQUESTS_AT_MOST = 1000;
/** As fast as an autoscaler goes; the default takes minutes on purpose. */
const AT_ONCE = { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

describe('scaling on requests that the pods tell', () => {
  useInstalledChart();
  scalesWithTwoGpus();

  it('the API server finds both versions available behind two pods that are ready', async () => {
    const pods = await podsOfProgram('metrics API');
    const ready = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && hasCondition(pod, 'Ready'));
    assert.equal(ready.length, 2);
    for (const version of ['v1beta1', 'v1beta2']) {
      await eventually(() => testApi().get(RESOURCES.apiServices, { name: `${version}.custom.metrics.k8s.io` }), {
        because: `the API server finds ${version} available`,
        until: isAvailable,
      });
    }
  });

  it('namespaces can be deleted while it runs, and after helm uninstall', async () => {
    await deleteOne();
    await uninstallChart();
    await deleteOne();
  });

  async function deleteOne(): Promise<void> {
    const name = await createNamespace('deletion');
    await kubectl(['delete', 'namespace', name, '--timeout=60s']);
  }
});

describe('scaling on requests that a Prometheus server tells', () => {
  const namespace = useNamespace('prometheus');
  let discovery: PodDiscovery | undefined;
  const prometheus = usePrometheus(async () => {
    discovery = await startPodDiscovery(namespace());
    return { host: testCluster().hostAddress, scrapeConfigs: [await documentedJob(discovery)] };
  });
  after(() => discovery?.[Symbol.asyncDispose]());
  useInstalledChart(() => ({ metrics: { prometheusUrl: prometheus().url } }));
  scalesWithTwoGpus(namespace);

  it('no pod was asked by the metrics API', async () => {
    for (const { status } of await podsOfProgram('metrics API')) {
      const { body } = await request(`http://${status.podIP}:8080/metrics`);
      assert.match(await body.text(), /pod_reads_total\{result="ok"\} 0/);
    }
  });
});

/** A test that drives a service with GPUs from its minimum to its maximum and back. */
function scalesWithTwoGpus(namespace = useNamespace('scaling')): void {
  const vision = () => ({ namespace: namespace(), name: 'vision' });
  const loads: SteadyLoad[] = [];
  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.stop()));
  });

  before(async () => {
    const scaling = { minReplicas: 1, maxReplicas: 3, behavior: { scaleDown: AT_ONCE } };
    const server = { image: GPU_STAND_IN, resources: { requests: { cpu: '250m' } } };
    await applyManifest(namespace(), modelService('vision', { gpu: { count: 1 }, server, scaling }));
    await untilServing(vision());
  });

  it('goes from one pod to its most, of which the third finds no GPU, and back; no request is lost', async function () {
    this.timeout(400_000);
    await eventually(() => autoscalingActive(vision()), {
      because: 'the autoscaler reads the metric',
      until: (condition) => condition?.status === 'True',
      deadlineMs: 60_000,
    });
    const readSince = Date.now();
    const url = await clusterUrl(vision());
    const light = start(url, LIGHT);
    const timeline = new Timeline();
    assert.equal(await readyPods(vision()), 1);
    timeline.mark(`${LIGHT.clients} clients ask one pod: ${await describeMetric()}`);

    const heavy = start(url, HEAVY);
    await eventually(() => readyPods(vision()), {
      because: 'two pods are ready',
      until: (ready) => ready === 2,
      deadlineMs: 120_000,
      intervalMs: 200,
    });
    timeline.mark(`${HEAVY.clients} clients more, and a second pod is ready: ${await describeMetric()}`);
    const waiting = await eventually(() => autoscalingActive(vision()), {
      because: 'the ModelService tells of the third pod',
      until: (condition) => condition?.reason === 'Unschedulable',
      deadlineMs: 120_000,
    });
    timeline.mark(`the ModelService says: ${waiting?.message}`);
    assert.match(
      waiting?.message ?? '',
      /The autoscaler wants more pods than answer\. .*Insufficient nvidia\.com\/gpu/,
    );

    await heavy.more(REQUESTS_AT_MOST);
    const pods = await podsOf(vision());
    const placed = pods.filter(({ spec }) => spec.nodeName !== undefined).map(({ metadata }) => metadata.name);
    assert.deepEqual([pods.length, placed.length], [3, 2], 'one of three pods has no node');
    const service = await getModelService(vision());
    assert.equal(conditionOf(service, 'Ready')?.reason, 'Serving');
    assert.equal(conditionOf(service, 'AutoscalingActive')?.reason, 'Unschedulable');
    const values = await eventually(() => metricOfPods(vision(), METRIC), {
      because: 'the metric of both pods can be read',
      until: (read) => Object.keys(read).length === 2,
    });
    assert.deepEqual(Object.keys(values).sort(), placed.sort());
    timeline.mark(`${REQUESTS_AT_MOST} requests later the third pod still waits: ${await describeMetric()}`);

    const outcomes = [await heavy.stop()];
    timeline.mark(`the ${HEAVY.clients} clients are gone: ${await describeMetric()}`);
    await eventually(() => podsOf(vision()), {
      because: 'without them there is one pod',
      until: ({ length }) => length === 1,
      deadlineMs: 180_000,
      intervalMs: 500,
    });
    timeline.mark(`one pod is left: ${await describeMetric()}`);
    outcomes.push(await light.stop());
    console.log(timeline.toString().replace(/^/gm, '      '));

    const lost = outcomes.flatMap(({ failures }) => failures);
    const answered = outcomes.reduce((sum, outcome) => sum + outcome.answered, 0);
    console.log(`      ${answered} requests answered, ${lost.length} lost`);
    assert.deepEqual(lost, []);
    await eventually(() => autoscalingActive(vision()), {
      because: 'the ModelService tells of no pod that waits',
      until: (condition) => condition?.reason === 'MetricsRead',
    });
    await tellsOfDecisions(readSince);
  });

  async function tellsOfDecisions(since: number): Promise<void> {
    const events = await autoscalerEvents(vision());
    const failed = events.filter(({ reason, lastSeenMs }) => reason.startsWith('Failed') && lastSeenMs >= since);
    assert.deepEqual(failed, [], 'the autoscaler could read its metric at all times');
    const rescales = events.filter(({ reason }) => reason === 'SuccessfulRescale').map(({ note }) => note);
    console.log(rescales.map((note) => `      ${note}`).join('\n'));
    assert.ok(
      rescales.some((note) => note.includes(METRIC)),
      rescales.join('; '),
    );
    const { status } = await eventually(() => getModelService(vision()), {
      because: 'the status tells the last decision',
      until: (service) => service.status?.scaling?.lastDecision?.to === 1,
    });
    console.log(`      ${JSON.stringify(status?.scaling?.lastDecision)}`);
  }

  function start(url: string, shape: LoadShape): SteadyLoad {
    const load = startSteadyLoad(url, 'vision', shape);
    loads.push(load);
    return load;
  }

  async function describeMetric(): Promise<string> {
    return `${METRIC} ${Object.values(await metricOfPods(vision(), METRIC)).join(', ')}`;
  }
}
