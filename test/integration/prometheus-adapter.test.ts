import assert from 'node:assert/strict';
import { load } from 'js-yaml';
import { after, before, describe, it } from 'mocha';
import { chartTemplate, helm, only, renderChart } from './support/chart.ts';
import { awaitCondition, awaitObject, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { type PodDiscovery, startPodDiscovery } from './support/pod-discovery.ts';
import { scrapeConfigsOf } from './support/pod-monitor.ts';
import { usePrometheus } from './support/prometheus.ts';
import { startPrometheusAdapter } from './support/prometheus-adapter.ts';
import { ToolError } from './support/run-tool.ts';
import { createServedPods } from './support/served-pods.ts';
import { useOperator } from './support/suite-operator.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';

describe('The chart with metrics.provider=prometheus-adapter', function () {
  // The first run compiles the adapter.
  this.timeout(600_000);
  const namespace = useNamespace('adapter');
  const named = (name: string) => ({ namespace: namespace(), name });
  const options = () => ({
    release: 'ms',
    namespace: namespace(),
    values: {
      watchNamespaces: [namespace()],
      metrics: { provider: 'prometheus-adapter', podMonitor: { enabled: true } },
    },
  });

  /** Without a PodMonitor, which nothing here knows, and where no operator of this suite is. */
  const elsewhere = () => ({
    ...options(),
    values: {
      watchNamespaces: ['elsewhere'],
      crds: { enabled: false },
      metrics: { provider: 'prometheus-adapter' },
    },
  });

  let discovery: PodDiscovery;
  before('tell Prometheus of pods', async () => {
    discovery = await startPodDiscovery(namespace());
  });
  const prometheus = usePrometheus(async () => {
    const monitor = only(await renderChart(options()), 'PodMonitor');
    const [job, ...rest] = scrapeConfigsOf(monitor, discovery.sdConfig);
    // Two jobs scrape the same pods, as where somebody has both.
    return { scrapeConfigs: [{ ...job, job_name: 'twice' }, ...(job === undefined ? [] : [job]), ...rest] };
  });
  useOperator(() => ({ namespaces: [namespace()], metrics: { provider: 'prometheus-adapter' } }));
  const pods = createServedPods(namespace);
  let adapter: AsyncDisposable | undefined;
  after(async () => {
    await adapter?.[Symbol.asyncDispose]();
    await pods[Symbol.asyncDispose]();
    await discovery?.[Symbol.asyncDispose]();
  });

  it('is refused where nobody serves custom.metrics.k8s.io, and can be rendered all the same', async () => {
    await assert.rejects(
      helm(['install'], elsewhere(), ['--dry-run=server']),
      (error) =>
        error instanceof ToolError &&
        /nobody serves custom\.metrics\.k8s\.io: install prometheus-adapter first/.test(error.stderr),
    );
    assert.doesNotMatch(await chartTemplate(options()), /kind: APIService/);
  });

  it('says that the API is missing where the adapter was removed', async () => {
    await applyManifest(namespace(), modelService('digits', { scaling: { maxReplicas: 3 } }));
    await pods.serve('digits', 1, 0);
    await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'MetricsAPIMissing');
  });

  it('has autoscalers read through the adapter, by the rules that it ships', async () => {
    await eventually(() => prometheus().query(`${IN_FLIGHT}{modelservice_dev_name="digits"}`), {
      because: 'Prometheus knows the pod',
      until: ({ length }) => length === 2,
      deadlineMs: 30_000,
    });
    adapter = await startPrometheusAdapter({
      namespace: namespace(),
      prometheusUrl: prometheus().url,
      config: await rules(),
    });
    await awaitCondition(named('digits'), 'AutoscalingActive', 'True', 'MetricsRead', 60_000);

    await pods.serve('digits', 1, 9);
    await awaitObject('deployments', named('digits'), {
      because: 'nine requests in flight ask for the most, 3 pods',
      until: (object) => field(object, 'spec', 'replicas') === 3,
      deadlineMs: 120_000,
    });
    await pods.serve('digits', 3, 9);
    await eventually(() => valuesOf('modelservices.modelservice.dev/digits'), {
      because: 'the service as a whole has nine in flight, each pod counted once',
      until: ([value = 0]) => Math.abs(value - 9) < 0.5,
      deadlineMs: 60_000,
      intervalMs: 500,
    });
    assert.equal((await valuesOf('pods/*')).length, 3);
  });

  it('may be installed where the adapter serves', async () => {
    assert.match(await helm(['install'], elsewhere(), ['--dry-run=server']), /prometheus-adapter-rules/);
  });

  /** The adapter's configuration, with the rules of the ConfigMap that the chart renders. */
  async function rules(): Promise<string> {
    const objects = await renderChart(options());
    const configMap = objects.find(
      ({ metadata }) => metadata.labels['modelservice.dev/prometheus-adapter-rules'] === 'true',
    );
    const text = String(field(configMap, 'data', 'config.yaml'));
    assert.equal((load(text) as { readonly rules: readonly unknown[] }).rules.length, 1);
    return text;
  }

  async function valuesOf(object: string): Promise<readonly number[]> {
    const path = `/apis/custom.metrics.k8s.io/v1beta1/namespaces/${namespace()}/${object}/${IN_FLIGHT}`;
    const { items } = JSON.parse(await kubectl(['get', '--raw', path])) as {
      readonly items: readonly { readonly value: string }[];
    };
    return items.map(({ value }) => (value.endsWith('m') ? Number(value.slice(0, -1)) / 1000 : Number(value)));
  }
});
