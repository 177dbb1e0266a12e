import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { PrometheusClient } from '../../operator/src/metrics-api/prometheus-client.ts';
import { expressionFor, readingsIn } from '../../operator/src/metrics-api/prometheus-query.ts';
import { samplesIn } from '../../operator/src/runtime/exposition.ts';
import { only, renderChart } from './support/chart.ts';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { createMetricsPod, type LoadedBackend, startTelemetry } from './support/metrics-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { type PodDiscovery, startPodDiscovery } from './support/pod-discovery.ts';
import { scrapeConfigsOf } from './support/pod-monitor.ts';
import { needsPrometheus, startPrometheus, usePrometheus } from './support/prometheus.ts';
import { RESOURCES } from './support/resource-types.ts';
import { documentedJob } from './support/scrape-config.ts';
import { createServedPods, METRICS_PORT } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';

interface MetricValue {
  readonly describedObject: { readonly name: string };
  readonly timestamp: string;
  readonly value: string;
}

describe('the custom metrics API with Prometheus as its source', function () {
  this.timeout(180_000);
  const namespace = useNamespace('prometheus');
  const named = (name: string) => ({ namespace: namespace(), name });
  let discovery: PodDiscovery;
  before('tell Prometheus of pods', async () => {
    discovery = await startPodDiscovery(namespace());
  });
  // Two jobs scrape the same pods, as where somebody has both.
  const prometheus = usePrometheus(async () => ({
    scrapeConfigs: [await documentedJob(discovery), ...(await podMonitorJobs(namespace(), discovery))],
  }));
  const api = useMetricsApi(namespace, () => [`--prometheus-url=${prometheus().url}`, '--prometheus-max-age=20s']);
  useOperator(() => ({ namespaces: [namespace()] }));
  const pods = createServedPods(namespace);
  after(async () => {
    await pods[Symbol.asyncDispose]();
    await discovery?.[Symbol.asyncDispose]();
  });

  async function valuesOf(name: string): Promise<readonly MetricValue[]> {
    const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace()}/pods/*/${IN_FLIGHT}`;
    const selector = encodeURIComponent(`modelservice.dev/name=${name}`);
    const list = await kubectl(['get', '--raw', `${path}?labelSelector=${selector}`]);
    return (JSON.parse(list) as { readonly items: readonly MetricValue[] }).items;
  }

  /** What the server at one of the suite's addresses says itself. */
  async function meanAt(last: number): Promise<number> {
    const text = await (await fetch(`http://${pods.address(last)}:${METRICS_PORT}/metrics`)).text();
    return samplesIn(text, new Set([IN_FLIGHT]))[0]?.value ?? Number.NaN;
  }

  const sizeOf = async (name: string): Promise<unknown> =>
    field(await testApi().get(RESOURCES.deployments, named(name)), 'spec', 'replicas');
  const awaitSize = (name: string, size: number, because: string) =>
    awaitObject('deployments', named(name), {
      because,
      until: (object) => field(object, 'spec', 'replicas') === size,
      deadlineMs: 120_000,
    });

  describe('for a ModelService under load', () => {
    before('make it', async () => {
      await applyManifest(
        namespace(),
        modelService('digits', {
          scaling: { maxReplicas: 3, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
        }),
      );
      await pods.serve('digits', 1, 0);
    });

    it('has its pods scraped by annotations and by PodMonitor, and makes it larger by what Prometheus knows', async () => {
      await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'MetricsRead', 90_000);
      await pods.serve('digits', 1, 9);
      await awaitSize('digits', 3, 'nine requests in flight ask for the most, 3 pods');
      await pods.serve('digits', 3, 9);
      const values = await eventually(() => valuesOf('digits'), {
        because: 'each of three pods has three in flight',
        until: (found) => found.length === 3 && found.every(({ value }) => Math.abs(numberOf(value) - 3) < 0.3),
        deadlineMs: 90_000,
        intervalMs: 500,
      });
      const scrapes = await prometheus().query(`timestamp(${IN_FLIGHT}{namespace="${namespace()}"})`);
      assert.deepEqual(scrapes.map(({ labels }) => labels.job?.split('/')[0]).sort(), [
        ...new Array(3).fill('kubernetes-pods'),
        ...new Array(3).fill('podMonitor'),
      ]);
      for (const { timestamp } of values) {
        assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 15_000, `${timestamp} is the moment of a scrape`);
      }
      const told = await (await fetch(`${api().process.metricsUrl}/metrics`)).text();
      assert.match(told, /prometheus_queries_total\{result="ok"\} [1-9]/);
      assert.match(told, /pod_reads_total\{result="ok"\} 0/, 'no pod was asked');
    });

    it('keeps the size while Prometheus is down, and says so', async () => {
      await prometheus().stop();
      // Without load it would be one pod, were the load known.
      pods.holdEach(0);
      const object = await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'MetricsMissing', 90_000);
      const host = new URL(prometheus().url).host;
      const { message = '' } = conditionOf(object, 'AutoscalingActive') ?? {};
      assert.match(message, new RegExp(`Prometheus at ${host} could not be asked \\(ECONNREFUSED\\)`));
      assert.equal(await sizeOf('digits'), 3);
    });

    it('keeps the size while Prometheus hangs, and says so', async () => {
      pods.holdEach(3);
      await eventually(() => Promise.all([1, 2, 3].map(meanAt)), {
        because: 'the pods themselves tell of load again, so that nothing speaks for fewer',
        until: (means) => means.every((mean) => mean > 2.7),
        intervalMs: 500,
      });
      await prometheus().start();
      await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'LimitedByMaxReplicas', 90_000);
      prometheus().hang();
      pods.holdEach(0);
      const object = await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'MetricsMissing', 90_000);
      assert.match(conditionOf(object, 'AutoscalingActive')?.message ?? '', /did not answer within 3 s/);
      assert.equal(await sizeOf('digits'), 3);
    });

    it('goes on when Prometheus is back', async () => {
      prometheus().goOn();
      await awaitSize('digits', 1, 'without load there is one pod');
      await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'MetricsRead', 90_000);
    });
  });

  it('leaves out a pod whose scrape fails, never telling its last value', async () => {
    const backends: LoadedBackend[] = [];
    for (const name of ['well', 'gone']) {
      const backend = await startTelemetry();
      backends.push(backend);
      const pod = await createMetricsPod(named(name), 'partly', backend.port);
      await testApi().mergePatch(RESOURCES.pods, named(name), {
        metadata: { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(backend.port) } },
      });
      await reportReady(pod, backend.host);
    }
    const names = async () => (await valuesOf('partly')).map(({ describedObject }) => describedObject.name).sort();
    try {
      await eventually(names, { because: 'both are scraped', until: (found) => found.join() === 'gone,well' });
      await backends[1]?.[Symbol.asyncDispose]();
      await eventually(names, { because: 'one does not answer', until: (found) => found.join() === 'well' });
    } finally {
      await backends[0]?.[Symbol.asyncDispose]();
    }
  });
});

describe('the question to a real Prometheus', function () {
  this.timeout(120_000);
  needsPrometheus();

  it('selects exactly the namespace and the pods that it names, whatever their names are made of', async () => {
    await using backend = await startTelemetry();
    backend.hold(1);
    const targets = [`${backend.host}:${backend.port}`];
    const odd = { namespace: 'n"} or vector(9', pod: 'a.b|\\"c{}' };
    const likeIt = { namespace: odd.namespace, pod: 'axb' };
    await using prometheus = await startPrometheus({
      scrapeConfigs: [odd, likeIt].map((labels, index) => ({
        job_name: `job-${index}`,
        static_configs: [{ targets, labels }],
      })),
    });
    await eventually(() => prometheus.query(IN_FLIGHT), {
      because: 'both are scraped',
      until: ({ length }) => length === 2,
    });
    const client = await PrometheusClient.create({ url: prometheus.url, credentialsDir: undefined, connections: 1 });
    try {
      const expression = expressionFor(IN_FLIGHT, odd.namespace, [odd.pod]);
      const vector = await client.query(expression, new AbortController().signal);
      assert.deepEqual([...readingsIn(vector, IN_FLIGHT, 20_000).keys()], [odd.pod]);
      await assert.rejects(client.query('up{', new AbortController().signal), /answered 400: .*parse error/);
    } finally {
      await client.close();
    }
  });
});

/** What the chart's PodMonitor comes to. */
async function podMonitorJobs(namespace: string, { sdConfig }: PodDiscovery): Promise<readonly object[]> {
  const values = { watchNamespaces: [namespace], metrics: { podMonitor: { enabled: true } } };
  return scrapeConfigsOf(only(await renderChart({ release: 'ms', namespace, values }), 'PodMonitor'), sdConfig);
}

/** Of a quantity in whole numbers or thousandths. */
function numberOf(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);
}
