import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { before, describe, it } from 'mocha';
import { only, renderChart } from './support/chart.ts';
import { needsPrometheus, prometheusTool } from './support/prometheus.ts';
import { testRun } from './support/test-run.ts';

const run = promisify(execFile);

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const WANTED: readonly {
  readonly alert: string;
  readonly title: string;
  readonly series: readonly { readonly series: string; readonly values: string }[];
  readonly at: string;
  /** Labels of the alert beside its name and severity; undefined: it does not fire. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}[] = [
  {
    alert: 'ModelServiceMetricsAPIUnavailable',
    title: 'when the API server cannot reach a version for 2 minutes',
    series: [apiService('v1beta1', '0x10'), apiService('v1beta2', '0 1x9')],
    at: '3m',
    labels: { name: 'v1beta2.custom.metrics.k8s.io' },
  },
  {
    alert: 'ModelServiceMetricsAPIUnavailable',
    title: 'not when it is for a moment, nor for the APIs of others',
    series: [apiService('v1beta2', '0 1 0x8'), { ...apiService('v1', '1x10', 'metrics.example.com') }],
    at: '10m',
    labels: undefined,
  },
  {
    alert: 'ModelServiceMetricsAPICertificateExpiring',
    title: 'when fewer than 20 days are left',
    series: [
      { series: 'modelservice_metrics_api_certificate_expiry_timestamp_seconds{namespace="n"}', values: seconds(19) },
    ],
    at: '1h1m',
    labels: { namespace: 'n' },
  },
  {
    alert: 'ModelServiceMetricsAPICertificateExpiring',
    title: 'not in the days in which it is renewed, nor before there is one',
    series: [
      { series: 'modelservice_metrics_api_certificate_expiry_timestamp_seconds{namespace="n"}', values: seconds(29) },
      { series: 'modelservice_metrics_api_certificate_expiry_timestamp_seconds{namespace="m"}', values: seconds(0) },
    ],
    at: '2h',
    labels: undefined,
  },
  {
    alert: 'ModelServiceReconcileErrors',
    title: 'when a reconcile fails again and again',
    series: [{ series: 'controller_runtime_reconcile_errors_total{controller="modelservice"}', values: '0+1x30' }],
    at: '20m',
    labels: {},
  },
  {
    alert: 'ModelServiceReconcileErrors',
    title: 'when one is tried again as seldom as it gets',
    series: [
      {
        series: 'controller_runtime_reconcile_errors_total{controller="modelservice"}',
        values: '0 1x5 2x5 3x5 4x5 5x5 6x5',
      },
    ],
    at: '30m',
    labels: {},
  },
  {
    alert: 'ModelServiceReconcileErrors',
    title: 'not when another operator has errors, or ours had one',
    series: [
      { series: 'controller_runtime_reconcile_errors_total{controller="other"}', values: '0+1x30' },
      { series: 'controller_runtime_reconcile_errors_total{controller="modelservice"}', values: '0 0 1x28' },
    ],
    at: '20m',
    labels: undefined,
  },
  {
    alert: 'ModelServiceOperatorDown',
    title: 'when the operator is not seen',
    series: [{ series: 'controller_runtime_max_concurrent_reconciles{controller="modelservice"}', values: '4 _x30' }],
    at: '16m',
    labels: { controller: 'modelservice' },
  },
  {
    alert: 'ModelServiceOperatorDown',
    title: 'not while it is',
    series: [{ series: 'controller_runtime_max_concurrent_reconciles{controller="modelservice"}', values: '4x30' }],
    at: '20m',
    labels: undefined,
  },
  {
    alert: 'ModelServiceOperatorNoLeader',
    title: 'when operators run and none leads',
    series: [leader('a', '1x5 0x30'), leader('b', '0x35')],
    at: '12m',
    labels: { namespace: 'models' },
  },
  {
    alert: 'ModelServiceOperatorNoLeader',
    title: 'not when another one takes over, nor when another installation has none',
    series: [leader('a', '1x5 0x30'), leader('b', '0x7 1x28'), leader('c', '0x35', 'others')],
    at: '20m',
    labels: undefined,
  },
  {
    alert: 'ModelServiceQueueGrowing',
    title: 'when many ModelServices have waited for long',
    series: [{ series: 'workqueue_depth{name="modelservice",pod="a"}', values: '0 11+1x30' }],
    at: '20m',
    labels: {},
  },
  {
    alert: 'ModelServiceQueueGrowing',
    title: 'not when they waited for some minutes, nor in the queue of somebody else',
    series: [
      { series: 'workqueue_depth{name="modelservice"}', values: '5000x10 0x3 5000x10' },
      { series: 'workqueue_depth{name="node"}', values: '5000x30' },
    ],
    at: '24m',
    labels: undefined,
  },
  {
    alert: 'ModelServiceStalled',
    title: 'when one is stalled for 15 minutes, also where the reason changes',
    series: [
      condition('Stalled', 'True', '1x10 _x20', { reason: 'ModelNotFound' }),
      condition('Stalled', 'True', '_x10 1x20', { reason: 'DigestMismatch' }),
    ],
    at: '20m',
    labels: { namespace: 'vision', name: 'mnist' },
  },
  {
    alert: 'ModelServiceStalled',
    title: 'not when it got on, nor when it is only not ready',
    series: [
      condition('Stalled', 'True', '1x10 _x20'),
      condition('Stalled', 'False', '_x10 1x20'),
      condition('Ready', 'False', '1x30'),
    ],
    at: '25m',
    labels: undefined,
  },
];

describe("the chart's alerts", function () {
  this.timeout(60_000);
  needsPrometheus('promtool');
  let folder: string;
  let rules: readonly Rule[];

  before('write them as a rule file', async () => {
    const metrics = { provider: 'builtin', serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } };
    const objects = await renderChart({ release: 'ms', namespace: 'models', values: { metrics } });
    const { spec } = only(objects, 'PrometheusRule');
    rules = (spec as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap((group) => group.rules);
    folder = await mkdtemp(join(testRun().guard.folder, 'rules-'));
    await writeFile(join(folder, 'rules.yml'), JSON.stringify(spec));
  });

  it('are rules that Prometheus takes, each with what to do', async () => {
    await run(await prometheusTool('promtool'), [
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      join(folder, 'rules.yml'),
    ]);
    assert.equal(new Set(WANTED.map(({ alert }) => alert)).size, rules.length, 'each is tested here');
    for (const { alert, annotations } of rules) assert.match(annotations.description ?? '', /kubectl /, alert);
  });

  for (const { alert, title, series, at, labels } of WANTED) {
    it(`${alert} ${labels === undefined ? 'does not fire' : 'fires'}: ${title}`, async () => {
      const rule = rules.find((candidate) => candidate.alert === alert);
      assert.ok(rule);
      const expected = {
        exp_labels: { ...rule.labels, ...labels },
        exp_annotations: Object.fromEntries(
          Object.entries(rule.annotations).map(([key, text]) => [key, withLabels(text, labels)]),
        ),
      };
      const test = {
        interval: '1m',
        input_series: series,
        alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: labels === undefined ? [] : [expected] }],
      };
      const file = join(folder, 'test.yml');
      await writeFile(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests: [test] }));
      await run(await prometheusTool('promtool'), ['test', 'rules', file]);
    });
  }
});

function apiService(version: string, values: string, group = 'custom.metrics.k8s.io') {
  return { series: `aggregator_unavailable_apiservice{name="${version}.${group}",instance="a"}`, values };
}

function leader(pod: string, values: string, namespace = 'models') {
  const name = 'ms-modelservice-operator';
  return { series: `leader_election_master_status{name="${name}",namespace="${namespace}",pod="${pod}"}`, values };
}

function condition(type: string, status: string, values: string, more: Readonly<Record<string, string>> = {}) {
  const labels = { namespace: 'vision', name: 'mnist', type, status, ...more };
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return { series: `modelservice_condition{${pairs.join()}}`, values };
}

/** The text of an annotation, as Prometheus writes it for an alert with those labels. */
function withLabels(text: string, labels: Readonly<Record<string, string>> = {}): string {
  return text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '');
}

/** Of so many days, through all of a test: time begins at zero there. */
function seconds(days: number): string {
  return `${days * 86_400}x180`;
}
