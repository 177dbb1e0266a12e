import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { awaitObject, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { installScaledObject } from './support/keda-definitions.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { type PodDiscovery, startPodDiscovery } from './support/pod-discovery.ts';
import { usePrometheus } from './support/prometheus.ts';
import { documentedJob } from './support/scrape-config.ts';
import { createServedPods } from './support/served-pods.ts';
import { useOperator } from './support/suite-operator.ts';

describe('What KEDA asks of Prometheus', function () {
  this.timeout(120_000);
  const namespace = useNamespace('keda-query');
  let definitions: AsyncDisposable | undefined;
  let discovery: PodDiscovery;
  before('install the definitions of KEDA, and tell Prometheus of pods', async () => {
    definitions = await installScaledObject();
    discovery = await startPodDiscovery(namespace());
  });
  const prometheus = usePrometheus(async () => {
    const job = await documentedJob(discovery);
    // Two jobs scrape the same pods, as where somebody has both.
    return { scrapeConfigs: [job, { ...job, job_name: 'twice' }] };
  });
  useOperator(() => ({
    namespaces: [namespace()],
    metrics: { provider: 'keda', prometheusUrl: prometheus().url },
    args: ['--prometheus-max-age=20s'],
  }));
  const pods = createServedPods(namespace);
  after(async () => {
    await pods[Symbol.asyncDispose]();
    await discovery?.[Symbol.asyncDispose]();
    await definitions?.[Symbol.asyncDispose]();
  });

  it('is the load of all pods, each once, where one is not scraped too, and nothing where none is', async () => {
    for (const name of ['digits', 'digits-too']) {
      await applyManifest(namespace(), modelService(name, { scaling: { minReplicas: 2, maxReplicas: 4 } }));
    }
    const servers = await pods.start('digits', 2, 5);
    await pods.start('digits-too', 2, 30);
    const { spec } = await awaitObject(
      'scaledObjects',
      { namespace: namespace(), name: 'digits' },
      { because: 'it is there' },
    );
    const query = String(field(spec, 'triggers', 0, 'metadata', 'query'));
    const awaitLoad = (because: string, until: (load: readonly number[]) => boolean) =>
      eventually(async () => (await prometheus().query(query)).map(({ value }) => value), {
        because,
        until,
        deadlineMs: 60_000,
      });
    const isTen = ([load = 0, ...more]: readonly number[]) => more.length === 0 && Math.abs(load - 10) < 0.1;
    await awaitLoad('two pods have five requests each', isTen);

    const down = (count: number) =>
      eventually(() => prometheus().query(`up{namespace="${namespace()}",pod=~"digits-[^-]+-[^-]+"} == 0`), {
        because: `${count} pods are not scraped, by either job`,
        until: ({ length }) => length === 2 * count,
        deadlineMs: 30_000,
      });
    await servers[0]?.fail('refuses');
    await down(1);
    assert.ok(isTen((await prometheus().query(query)).map(({ value }) => value)), 'its share is that of the other');
    await servers[1]?.fail('refuses');
    await down(2);
    assert.deepEqual(await prometheus().query(query), []);
  });
});
