import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'mocha';
import { documentedMetrics, exposedMetrics, expositionOf } from '../support/exposed-metrics.ts';
import { only, type RenderedObject, renderChart } from './support/chart.ts';
import { awaitCondition } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { needsPrometheus, startPrometheus } from './support/prometheus.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

/** In the manifest, and nobody's business beside its owner's. */
const PRIVATE = 'hush-hush';
/** In the documents, and not the operator's. */
const OF_OTHER_PROGRAMS = /^modelservice_(gateway|metrics_api)_/;
const MONITORED = {
  metrics: {
    provider: 'builtin',
    serviceMonitor: { enabled: true },
    dashboard: { enabled: true },
    prometheusRule: { enabled: true },
  },
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('What the operator tells of itself', function () {
  this.timeout(120_000);
  const namespace = useNamespace('operability');
  const operator = useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });
  const metrics = async () => await (await fetch(`${operator().metricsUrl}/metrics`)).text();
  const conditionsOf = async (name: string) =>
    (await metrics())
      .split('\n')
      .filter((line) => line.startsWith(`modelservice_condition{namespace="${namespace()}",name="${name}",`))
      .map((line) => line.replace(/^.*name="[^"]*",(.*)\}/, '$1'));

  before('have ModelServices that are ready, that are not, and that need help', async () => {
    await testApi().create(RESOURCES.services, {
      metadata: named('stalled'),
      spec: { ports: [{ port: 80 }] },
    });
    await applyManifest(namespace(), modelService('stalled'));
    const env = [{ name: 'TOKEN', value: PRIVATE }];
    await applyManifest(namespace(), modelService('ready', { server: { env } }));
    await applyManifest(namespace(), modelService('waiting'));
    const [pod] = await awaitPods(namespace(), 'ready', 1);
    assert.ok(pod);
    await reportReady(pod);
    await awaitCondition(named('ready'), 'Ready', 'True', 'Serving');
    await awaitCondition(named('stalled'), 'Stalled', 'True', 'NameTaken');
  });

  it('is what docs/operations.md lists: those metrics, and no other', async () => {
    const documented = await documentedMetrics();
    const text = await eventually(metrics, {
      because: 'the operator has heard of the conditions, and so shows their labels',
      until: (now) => now.includes('\nmodelservice_condition{'),
    });
    assert.deepEqual(
      exposedMetrics(text),
      documented.filter((line) => !OF_OTHER_PROGRAMS.test(line)),
    );
  });

  it('has the present conditions of each ModelService, until it is deleted', async () => {
    const ready = await eventually(() => conditionsOf('ready'), {
      because: 'the operator has heard of its own status',
      until: (lines) => lines.includes('type="Ready",status="True",reason="Serving" 1'),
    });
    const types = ready.map((line) => /^type="(\w+)"/.exec(line)?.[1]);
    assert.equal(new Set(types).size, ready.length, 'one series for each condition');
    const waiting = await eventually(() => conditionsOf('waiting'), {
      because: 'the other one has conditions of its own',
      until: (lines) => lines.some((line) => line.startsWith('type="Ready"')),
    });
    assert.ok(!waiting.some((line) => line.startsWith('type="Ready",status="True"')));

    await testApi().delete(RESOURCES.modelServices, named('waiting'));
    await eventually(() => conditionsOf('waiting'), {
      because: 'the series end with the ModelService',
      until: (lines) => lines.length === 0,
    });
    assert.notEqual((await conditionsOf('ready')).length, 0);
  });

  it('names controller, namespace, name and reconcile in each line that a reconcile writes', async () => {
    const lines = (await operator().logs())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const applied = lines.filter(({ msg }) => msg === 'Applied a child' || msg === 'Set the number of pods');
    for (const name of ['ready', 'waiting']) assert.ok(applied.some((line) => line.name === name));
    for (const line of applied) assert.match(line.reconcileID ?? '', UUID);
    const subjects = new Map<string, string>();
    for (const { reconcileID, controller, namespace: of, name } of lines) {
      if (reconcileID === undefined) continue;
      const subject = `${controller} ${of}/${name}`;
      assert.match(subject, new RegExp(`^modelservice ${namespace()}/(ready|stalled|waiting)$`));
      assert.equal(subjects.get(reconcileID) ?? subject, subject, 'a reconcile is about one ModelService');
      subjects.set(reconcileID, subject);
    }
  });

  it('is in hand at /debug, without a word of the objects', async () => {
    let text = '';
    const debug = async () => {
      text = await (await fetch(`${operator().healthUrl}/debug`)).text();
      return JSON.parse(text) as Debug;
    };
    const { stores } = await eventually(debug, {
      because: 'the operator works, knows the ModelServices that are left, and is done with them',
      until: ({ isWorking, election, controllers, stores: known }) => {
        const queue = controllers.find(({ name }) => name === 'modelservice')?.queue;
        const services = known.find(({ kind }) => kind === 'ModelService');
        return (
          isWorking &&
          election.leads &&
          queue?.failing.count === 0 &&
          queue.waiting.count === 0 &&
          services?.objects === 2
        );
      },
    });
    for (const { kind, hasSynced, watches } of stores) {
      assert.ok(hasSynced && watches.every(({ namespace: of }) => of === undefined || of === namespace()), kind);
    }
    for (const word of [PRIVATE, 'TOKEN', 'modelservice-server:']) assert.ok(!text.includes(word), word);
  });

  describe('to a real Prometheus', () => {
    needsPrometheus();

    it("answers each query of the chart's dashboard, and has what its alerts go by", async () => {
      const metricsOfServers = await documentedMetrics('metrics.md', ['model', 'version']);
      const others = (await documentedMetrics()).filter((line) => OF_OTHER_PROGRAMS.test(line));
      await using servers = await serveText(expositionOf(metricsOfServers));
      await using programs = await serveText(expositionOf(others));
      const objects = await renderChart({ release: 'ms', namespace: 'system', values: MONITORED });
      const job = (name: string, target: string, labels: object) => ({
        job_name: name,
        honor_labels: true,
        static_configs: [{ targets: [target], labels }],
      });
      await using prometheus = await startPrometheus({
        scrapeConfigs: [
          job('operator', new URL(operator().metricsUrl).host, { namespace: 'system', pod: 'operator' }),
          job('programs', programs.host, { namespace: 'system', pod: 'programs' }),
          job('servers', servers.host, { namespace: namespace(), pod: 'ready', modelservice_dev_name: 'ready' }),
        ],
      });
      const asked = [...dashboardQueries(objects), ...metricsOfAlerts(objects)];
      assert.ok(asked.length > 30);
      for (const query of asked) {
        await eventually(() => prometheus.query(query), {
          because: `Prometheus knows ${query}`,
          until: (samples) => samples.length > 0,
          deadlineMs: 60_000,
          intervalMs: 200,
        });
      }
    });
  });
});

/** What the dashboard's panels and variables ask, for all ModelServices. */
function dashboardQueries(objects: readonly RenderedObject[]): readonly string[] {
  const { metadata, data } = only(objects, 'ConfigMap');
  assert.equal(metadata.labels.grafana_dashboard, '1');
  const { panels, templating } = JSON.parse((data as Record<string, string>)['modelservice.json'] ?? '') as Dashboard;
  const ofPanels = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const ofVariables = templating.list.flatMap(({ definition = '' }) => {
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
    return selector === undefined ? [] : [`group by (${label}) (${selector})`];
  });
  assert.equal(ofVariables.length, 3);
  return [...ofPanels, ...ofVariables].map((query) =>
    query.replaceAll('$__rate_interval', '10s').replace(/\$(namespace|name|job)/g, '.+'),
  );
}

/** The metrics that the alerts' rules name, but for the API server's. */
function metricsOfAlerts(objects: readonly RenderedObject[]): readonly string[] {
  const { groups } = only(objects, 'PrometheusRule').spec as {
    readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
  };
  return groups
    .flatMap(({ rules }) => rules)
    .map(({ expr }) => {
      const [metric] = /\b(aggregator|controller_runtime|leader_election|modelservice|workqueue)_\w+/.exec(expr) ?? [];
      assert.ok(metric !== undefined, expr);
      return metric;
    })
    .filter((metric) => !metric.startsWith('aggregator_'));
}

/** Serves that text at each path. */
async function serveText(text: string): Promise<{ readonly host: string } & AsyncDisposable> {
  const server = createServer((_, response) => response.end(text));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

interface LogLine {
  readonly msg: string;
  readonly controller?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly reconcileID?: string;
}

interface Debug {
  readonly isWorking: boolean;
  readonly election: { readonly leads: boolean };
  readonly controllers: readonly {
    readonly name: string;
    readonly queue: Readonly<Record<'waiting' | 'failing', { readonly count: number }>>;
  }[];
  readonly stores: readonly {
    readonly kind: string;
    readonly objects: number;
    readonly hasSynced: boolean;
    readonly watches: readonly { readonly namespace?: string }[];
  }[];
}
