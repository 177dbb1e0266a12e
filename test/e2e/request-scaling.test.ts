import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { load as parseYaml } from 'js-yaml';
import { afterEach, before, describe, it } from 'mocha';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, type Manifest } from '../integration/support/manifests.ts';
import { createNamespace, useNamespace } from '../integration/support/namespaces.ts';
import { RESOURCES } from '../integration/support/resource-types.ts';
import { isAvailable } from '../integration/support/suite-metrics-api.ts';
import { testApi } from '../integration/support/test-run.ts';
import { autoscalerEvents, metricOfPods, readyPods, scalingActive } from './support/autoscaling.ts';
import { CHART, uninstallChart, useInstalledChart } from './support/installed-chart.ts';
import { MNIST_MANIFEST } from './support/mnist.ts';
import { clusterUrl, hasCondition, type PodObject, podsOf, untilServing } from './support/observed.ts';
import { type SteadyLoad, startSteadyLoad } from './support/steady-load.ts';
import { Timeline } from './support/timeline.ts';

const METRIC = 'modelservice_in_flight_avg15s';
/** Less than the target of 2 in flight: what one pod is enough for. */
const LIGHT = { clients: 2, pauseMs: 50 };
/** Without a pause nearly all of them are in flight all the time: far more than 2 for each of 3 pods. */
const HEAVY = { clients: 48, pauseMs: 0 };
/** Answered while there are the most pods, before there are fewer again. */
const REQUESTS_AT_MOST = 3000;
/** As fast as an autoscaler goes; the default takes minutes on purpose. */
const AT_ONCE = { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

describe('scaling on requests by the metrics API of the chart', () => {
  useInstalledChart();
  const namespace = useNamespace('scaling');
  const mnist = () => ({ namespace: namespace(), name: 'mnist' });
  const loads: SteadyLoad[] = [];
  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.stop()));
  });

  before(async () => {
    const manifest = parseYaml(await readFile(MNIST_MANIFEST, 'utf8')) as Manifest;
    const scaling = { ...(manifest.spec.scaling as object), behavior: { scaleDown: AT_ONCE } };
    await applyManifest(namespace(), { ...manifest, spec: { ...manifest.spec, scaling } });
    await untilServing(mnist());
  });

  it('the API server finds both versions available behind two pods that are ready', async () => {
    const pods = await testApi().list<PodObject>(RESOURCES.pods, {
      namespace: CHART.namespace,
      labelSelector: 'app.kubernetes.io/name=modelservice-operator-metrics-api',
    });
    assert.deepEqual(
      pods.map((pod) => hasCondition(pod, 'Ready')),
      [true, true],
    );
    for (const version of ['v1beta1', 'v1beta2']) {
      await eventually(() => testApi().get(RESOURCES.apiServices, { name: `${version}.custom.metrics.k8s.io` }), {
        because: `the API server finds ${version} available`,
        until: isAvailable,
      });
    }
  });

  it('goes from one pod to its most and back, and no request is lost', async function () {
    this.timeout(400_000);
    await eventually(() => scalingActive(mnist()), {
      because: 'the autoscaler reads the metric',
      until: (condition) => condition?.status === 'True',
      deadlineMs: 60_000,
    });
    const readSince = Date.now();
    const url = await clusterUrl(mnist());
    const light = start(url, LIGHT);
    const timeline = new Timeline();
    assert.equal(await readyPods(mnist()), 1);
    timeline.mark(`${LIGHT.clients} clients ask one pod: ${await describeMetric()}`);

    const heavy = start(url, HEAVY);
    await untilReady(2);
    timeline.mark(`${HEAVY.clients} clients more, and a second pod is ready: ${await describeMetric()}`);
    await untilReady(3);
    timeline.mark(`three pods are ready: ${await describeMetric()}`);
    const values = await eventually(() => metricOfPods(mnist(), METRIC), {
      because: 'the metric of each of three pods can be read',
      until: (read) => Object.keys(read).length === 3,
    });
    const names = (await podsOf(mnist())).map(({ metadata }) => metadata.name);
    assert.deepEqual(Object.keys(values).sort(), names.sort());

    await heavy.more(REQUESTS_AT_MOST);
    timeline.mark(`${REQUESTS_AT_MOST} requests later: ${await describeMetric()}`);

    const outcomes = [await heavy.stop()];
    timeline.mark(`the ${HEAVY.clients} clients are gone: ${await describeMetric()}`);
    await eventually(() => podsOf(mnist()), {
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
    const events = await autoscalerEvents(mnist());
    assert.deepEqual(
      events.filter(({ reason, lastSeenMs }) => reason.startsWith('Failed') && lastSeenMs >= readSince),
      [],
      'the autoscaler could read its metric at all times',
    );
    const rescales = events.filter(({ reason }) => reason === 'SuccessfulRescale').map(({ note }) => note);
    console.log(rescales.map((note) => `      ${note}`).join('\n'));
    assert.ok(
      rescales.some((note) => note.includes(METRIC)),
      rescales.join('; '),
    );
  });

  it('namespaces can be deleted while it runs, and after helm uninstall', async () => {
    await deleteOne();
    await uninstallChart();
    await deleteOne();
  });

  function start(url: string, shape: typeof LIGHT): SteadyLoad {
    const load = startSteadyLoad(url, 'mnist', shape);
    loads.push(load);
    return load;
  }

  async function untilReady(count: number): Promise<void> {
    await eventually(() => readyPods(mnist()), {
      because: `${count} pods are ready`,
      until: (ready) => ready >= count,
      deadlineMs: 120_000,
      intervalMs: 200,
    });
  }

  async function describeMetric(): Promise<string> {
    return `${METRIC} ${Object.values(await metricOfPods(mnist(), METRIC)).join(', ')}`;
  }

  async function deleteOne(): Promise<void> {
    const name = await createNamespace('deletion');
    await kubectl(['delete', 'namespace', name, '--timeout=60s']);
  }
});
