import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { helm, only, renderChart } from './support/chart.ts';
import { field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { createNamespace, deleteNamespace, useNamespace } from './support/namespaces.ts';
import { type ActiveAlert, usePrometheus } from './support/prometheus.ts';
import { RESOURCES } from './support/resource-types.ts';
import { runTool } from './support/run-tool.ts';
import { type SuiteMetricsApi, startMetricsApi } from './support/suite-metrics-api.ts';
import { testApi, testCluster, testRun } from './support/test-run.ts';

const UNAVAILABLE = 'ModelServiceMetricsAPIUnavailable';
const EXPIRY = 'modelservice_metrics_api_certificate_expiry_timestamp_seconds';
const VERSIONS = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
const DAY_SECONDS = 86_400;
const SCRAPER = 'prometheus';
/** The API server looks at the APIs behind it about twice a minute. */
const DEADLINE_MS = 150_000;

describe('When every pod of the metrics API is gone', function () {
  this.timeout(2 * DEADLINE_MS);
  let api: SuiteMetricsApi | undefined;
  // Declared, and therefore run, before the namespace goes: helm cannot uninstall what is being deleted around it.
  after(async () => {
    await api?.[Symbol.asyncDispose]();
    const flags = ['--namespace', namespace(), '--ignore-not-found', '--wait=false'];
    await runTool('helm', ['uninstall', 'operator', ...flags]);
    await kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], { input: scraperAccess(namespace()) });
  });

  const namespace = useNamespace('metrics-down');
  // As the pods of the release: what the metrics API's suites start is called the same.
  const release = () => ({
    release: 'operator',
    namespace: namespace(),
    values: {
      watchNamespaces: [namespace()],
      crds: { enabled: false },
      rbac: { aggregateRoles: false },
      metrics: { provider: 'builtin', prometheusRule: { enabled: false, unavailableFor: '5s' } },
    },
  });
  before('install, and start the metrics API', async function () {
    if (testCluster().hostAddress === undefined) this.skip();
    await helm(['install'], release());
    api = await startMetricsApi(namespace());
  });
  const prometheus = usePrometheus(async () => ({
    scrapeConfigs: [
      await apiServerJob(namespace()),
      { job_name: 'metrics-api', static_configs: [{ targets: [new URL(api?.process.metricsUrl ?? '').host] }] },
    ],
    ruleGroups: await ruleGroups(release()),
  }));
  const alert = async (): Promise<ActiveAlert | undefined> =>
    (await prometheus().alerts()).find(({ labels }) => labels.alertname === UNAVAILABLE);

  let doomed: string;

  it('there is no alert before, and its certificate is known to last', async () => {
    await eventually(() => prometheus().query('aggregator_unavailable_apiservice'), {
      because: 'the API server finds both versions available',
      until: (found) =>
        VERSIONS.every((name) => found.some(({ labels, value }) => labels.name === name && value === 0)),
      deadlineMs: DEADLINE_MS,
      intervalMs: 500,
    });
    assert.deepEqual(await prometheus().alerts(), []);
    const [left] = await prometheus().query(`${EXPIRY} - time()`);
    assert.ok(Math.abs((left?.value ?? 0) / DAY_SECONDS - 90) < 1, 'a certificate is valid for 90 days');
  });

  it('has a new certificate made by the command in the alert', async () => {
    const [before] = await prometheus().query(EXPIRY);
    const rule = await ruleOf(release(), 'ModelServiceMetricsAPICertificateExpiring');
    const [, command = ''] = /kubectl (patch .*)$/.exec(rule.annotations.description) ?? [];
    await kubectl(command.split(' ').map((word) => word.replaceAll("'", '')));
    await eventually(() => prometheus().query(EXPIRY), {
      because: 'another certificate is served',
      until: ([now]) => now !== undefined && before !== undefined && now.value > before.value,
      intervalMs: 500,
    });
  });

  it('an alert fires, which says what to do', async () => {
    await api?.process.crash();
    const fired = await eventually(alert, {
      because: 'the alert fires',
      until: (found) => found?.state === 'firing',
      deadlineMs: DEADLINE_MS,
      intervalMs: 500,
    });
    assert.ok(fired?.annotations.description?.includes(await documentedRemedy()), fired?.annotations.description);
  });

  it('no namespace can be deleted', async () => {
    doomed = await createNamespace('doomed');
    await deleteNamespace(doomed);
    await eventually(() => testApi().get(RESOURCES.namespaces, { name: doomed }), {
      because: 'the deletion cannot go on',
      until: ({ status }) =>
        ((status?.conditions ?? []) as readonly object[]).some(
          (condition) =>
            field(condition, 'type') === 'NamespaceDeletionDiscoveryFailure' && field(condition, 'status') === 'True',
        ),
      deadlineMs: DEADLINE_MS,
      intervalMs: 200,
    });
  });

  it('after the documented remedy it can, and the alert ends', async () => {
    const [program, ...args] = (await documentedRemedy()).split(' ');
    assert.equal(program, 'kubectl');
    await kubectl(args);
    await eventually(() => testApi().find(RESOURCES.namespaces, { name: doomed }), {
      because: 'the namespace is gone',
      until: (found) => found === undefined,
      deadlineMs: DEADLINE_MS,
      intervalMs: 200,
    });
    await eventually(alert, {
      because: 'the alert has ended',
      until: (found) => found === undefined,
      deadlineMs: DEADLINE_MS,
      intervalMs: 500,
    });
  });

  it('helm upgrade brings the API back', async () => {
    await helm(['upgrade'], release());
    for (const name of VERSIONS) await testApi().get(RESOURCES.apiServices, { name });
    // The pods can run again.
    api = await startMetricsApi(namespace());
    await kubectl(['get', '--raw', '/apis/custom.metrics.k8s.io/v1beta2']);
  });
});

interface Rule {
  readonly alert: string;
  readonly annotations: { readonly description: string };
}

/** As prometheus-operator hands them to Prometheus. */
async function ruleGroups(
  options: Parameters<typeof renderChart>[0],
): Promise<readonly { readonly rules: readonly Rule[] }[]> {
  const { metrics, ...values } = options.values as { metrics: { prometheusRule: object } };
  const enabled = { ...metrics, prometheusRule: { ...metrics.prometheusRule, enabled: true } };
  const objects = await renderChart({ ...options, values: { ...values, metrics: enabled } });
  return (only(objects, 'PrometheusRule').spec as { groups: readonly { rules: readonly Rule[] }[] }).groups;
}

async function ruleOf(options: Parameters<typeof renderChart>[0], alert: string): Promise<Rule> {
  const rule = (await ruleGroups(options)).flatMap(({ rules }) => rules).find((each) => each.alert === alert);
  assert.ok(rule);
  return rule;
}

/** The command under "When the metrics API is down". */
async function documentedRemedy(): Promise<string> {
  const text = await readFile(new URL('../../docs/request-scaling.md', import.meta.url), 'utf8');
  return /## When the metrics API is down.*?```sh\n(.*?)\n```/s.exec(text)?.[1] ?? '';
}

/** An account that may read the API server's metrics, as manifests. */
function scraperAccess(namespace: string): string {
  const account = { namespace, name: SCRAPER };
  const name = `${namespace}-${SCRAPER}`;
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
    { ...rbac, kind: 'ClusterRole', rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

/** Scrapes the API server as an account that may read its metrics and nothing else. */
async function apiServerJob(namespace: string): Promise<object> {
  await kubectl(['apply', '-f', '-'], { input: scraperAccess(namespace) });
  const { server, ca, skipTLSVerify, tokenFor } = testCluster();
  const { host, protocol } = new URL(server);
  const caFile = join(testRun().guard.folder, `${namespace}-ca.crt`);
  if (ca !== undefined) await writeFile(caFile, ca);
  return {
    job_name: 'apiserver',
    scheme: protocol.replace(':', ''),
    authorization: { credentials: await tokenFor({ namespace, name: SCRAPER }) },
    tls_config: { insecure_skip_verify: skipTLSVerify, ...(ca === undefined ? {} : { ca_file: caFile }) },
    static_configs: [{ targets: [host] }],
    // It has tens of thousands of series.
    scrape_interval: '3s',
    scrape_timeout: '3s',
    metric_relabel_configs: [{ source_labels: ['__name__'], action: 'keep', regex: 'aggregator_.*' }],
  };
}
