import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { autoscalerEvents, autoscalingActive, readyPods } from './support/autoscaling.ts';
import { useInstalledChart } from './support/installed-chart.ts';
import { startMetricsServer } from './support/metrics-server.ts';
import { clusterUrl, getModelService, untilServing } from './support/observed.ts';
import { type SteadyLoad, startSteadyLoad } from './support/steady-load.ts';

/** One request asks for many digits, so that few requests in flight are much work. */
const WORK = { clients: 2, pauseMs: 0, rows: 32 };

describe('scaling on CPU use and requests at once', function () {
  // The first run compiles metrics-server.
  this.timeout(600_000);
  const namespace = useNamespace('cpu');
  const vision = () => ({ namespace: namespace(), name: 'vision' });
  useInstalledChart();
  let metricsServer: AsyncDisposable | undefined;
  let load: SteadyLoad | undefined;
  after(async () => {
    await load?.stop();
    await metricsServer?.[Symbol.asyncDispose]();
  });

  before('make a service that two requests in flight do not scale', async () => {
    const metrics = [
      { type: 'InFlightRequests', target: { averageValue: '100' } },
      { type: 'Cpu', target: { averageUtilization: 40 } },
    ];
    const server = { resources: { requests: { cpu: '250m' } } };
    await applyManifest(namespace(), modelService('vision', { server, scaling: { maxReplicas: 2, metrics } }));
    await untilServing(vision());
  });

  it('says that metrics-server is missing, and what the other metric still does', async () => {
    const condition = await eventually(() => autoscalingActive(vision()), {
      because: 'AutoscalingActive tells of the API that nobody serves',
      until: (found) => found?.reason === 'ResourceMetricsMissing',
      deadlineMs: 60_000,
    });
    assert.equal(condition?.status, 'False');
    assert.equal(
      condition?.message,
      'Nobody serves metrics.k8s.io, from which the CPU use comes: install metrics-server, or scale on InFlightRequests. ' +
        'Until then the other metrics can add pods and none can remove any.',
    );
  });

  it('reads the CPU use of the pods from metrics-server', async () => {
    metricsServer = await startMetricsServer(namespace());
    const use = await eventually(() => kubectl(['top', 'pods', `--namespace=${namespace()}`, '--no-headers']), {
      because: 'kubectl top shows the pod',
      until: (lines) => /^vision-\S+ +\d+m +\d+Mi/.test(lines),
      deadlineMs: 120_000,
      intervalMs: 1000,
    });
    console.log(`      ${use.trim()}`);
    await eventually(() => autoscalingActive(vision()), {
      because: 'both metrics are read',
      until: (condition) => condition?.status === 'True' && condition.reason === 'MetricsRead',
      deadlineMs: 120_000,
    });
    assert.equal(await readyPods(vision()), 1, 'a service that nobody asks keeps its size');
  });

  it('follows the CPU use, which asks for more pods than the requests in flight', async () => {
    load = startSteadyLoad(await clusterUrl(vision()), 'vision', WORK);
    await eventually(() => readyPods(vision()), {
      because: 'a second pod is ready',
      until: (ready) => ready === 2,
      deadlineMs: 180_000,
      intervalMs: 500,
    });
    const { status } = await eventually(() => getModelService(vision()), {
      because: 'the status tells the decision',
      until: (service) => service.status?.scaling?.lastDecision?.to === 2,
    });
    const { metric, reason } = status?.scaling?.lastDecision ?? {};
    assert.deepEqual({ metric, reason }, { metric: 'Cpu', reason: 'MetricAboveTarget' });
    const rescales = (await autoscalerEvents(vision())).filter((event) => event.reason === 'SuccessfulRescale');
    assert.match(rescales.map(({ note }) => note).join('; '), /New size: 2; reason: cpu .*above target/);
    const { answered, failures } = await load.stop();
    console.log(`      ${rescales.at(-1)?.note}; ${answered} requests answered`);
    assert.deepEqual(failures, []);
  });
});
