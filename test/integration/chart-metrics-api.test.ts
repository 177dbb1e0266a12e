import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, it } from 'mocha';
import { METRICS_API_SETTINGS, readConfig } from '../../operator/src/metrics-api/config.ts';
import { VERSIONS } from '../../operator/src/metrics-api/served-metrics.ts';
import { CHART, type DeploymentSpec, helm, only, type RenderedObject, renderChart } from './support/chart.ts';
import { kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { ToolError } from './support/run-tool.ts';
import { testApi } from './support/test-run.ts';

/** Ports, as the chart's Service and probes have them, and what is for tests. */
const NOT_IN_THE_CHART = [
  'api-port',
  'bind-address',
  'certificate-lifetime',
  'health-port',
  'metrics-port',
  'watch-silence-timeout',
];

describe('the custom metrics API in the chart', () => {
  const namespace = useNamespace('chart-metrics');
  const options = (values: Record<string, unknown> = {}) => ({
    release: 'ms',
    namespace: namespace(),
    values: { ...values, metrics: { provider: 'builtin', ...(values.metrics as object | undefined) } },
  });
  const ofMetricsApi = async (values?: Record<string, unknown>): Promise<readonly RenderedObject[]> =>
    (await renderChart(options(values))).filter(({ metadata }) => metadata.name.includes('-metrics-api'));

  for (const { title, values } of [
    { title: 'for all namespaces', values: () => ({}) },
    { title: 'for one namespace', values: () => ({ watchNamespaces: [namespace()] }) },
    {
      title: 'with Prometheus as the source',
      values: () => ({ metrics: { prometheusUrl: 'https://thanos:9091/query', prometheusSecret: 'prometheus' } }),
    },
  ]) {
    it(`is taken by the API server as it is rendered ${title}`, async () => {
      const objects = await renderChart(options(values()));
      const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
      await kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input });
    });
  }

  it('is there by default, and not where metrics.provider is none', async () => {
    const kinds = async (metrics: object): Promise<readonly string[]> =>
      (await renderChart({ release: 'ms', namespace: namespace(), values: { metrics } })).map(({ kind }) => kind);
    assert.ok((await kinds({ provider: 'builtin' })).includes('APIService'));
    assert.ok(!(await kinds({ provider: 'none' })).includes('APIService'));
    const values = load(await readFile(join(CHART, 'values.yaml'), 'utf8')) as { metrics: { provider: string } };
    assert.equal(values.metrics.provider, 'builtin');
  });

  it('is told its own names, and where to look', async () => {
    const metrics = { prometheusUrl: 'http://prometheus.monitoring:9090', prometheusSecret: 'prometheus' };
    const args = argsOf(await ofMetricsApi({ watchNamespaces: ['a', 'b'], metrics }));
    const config = readConfig(args, {});
    assert.ok(config !== 'help');
    const { serviceName, secretName, namespace: home, watchNamespaces } = config;
    assert.deepEqual(
      { serviceName, secretName, home, watchNamespaces },
      {
        serviceName: 'ms-modelservice-operator-metrics-api',
        secretName: 'ms-modelservice-operator-metrics-api',
        home: namespace(),
        watchNamespaces: ['a', 'b'],
      },
    );
    const rendered = args.map((arg) => arg.replace(/^--([^=]+)=.*$/s, '$1'));
    const flags = Object.values(METRICS_API_SETTINGS).map(({ flag }) => flag);
    assert.deepEqual([...rendered, ...NOT_IN_THE_CHART].sort(), flags.toSorted());
  });

  it('asks the pods unless a Prometheus server is named, and mounts what that asks for', async () => {
    const pods = readConfig(argsOf(await ofMetricsApi()), {});
    assert.ok(pods !== 'help');
    assert.equal(pods.prometheusUrl, undefined);
    const metrics = {
      prometheusUrl: 'https://thanos:9091/query',
      prometheusSecret: 'token-of-thanos',
      prometheusMaxAge: '40s',
    };
    const objects = await ofMetricsApi({ metrics });
    const config = readConfig(argsOf(objects), {});
    assert.ok(config !== 'help');
    assert.equal(config.prometheusUrl, 'https://thanos:9091/query');
    assert.equal(config.prometheusMaxAgeMs, 40_000);
    const { spec } = (only(objects, 'Deployment').spec as { template: { spec: PodSpec } }).template;
    assert.deepEqual(spec.volumes, [{ name: 'prometheus', secret: { secretName: 'token-of-thanos' } }]);
    assert.equal(spec.containers[0]?.volumeMounts?.[0]?.mountPath, config.prometheusCredentials);
  });

  for (const prometheusUrl of ['prometheus:9090', 'http://me:secret@prometheus', 'http://a b', 'http://x?y=1']) {
    it(`does not take ${prometheusUrl} for the URL of a Prometheus server`, async () => {
      await assert.rejects(
        ofMetricsApi({ metrics: { prometheusUrl } }),
        (error) => error instanceof ToolError && /at '\/metrics\/prometheusUrl'/.test(error.stderr),
      );
      assert.throws(() => readConfig([`--prometheus-url=${prometheusUrl}`], {}), /write http:\/\/HOST:PORT/);
    });
  }

  it('runs twice, apart from the operator, which its Service and its Deployment do not select', async () => {
    const objects = await renderChart(options());
    const deployments = objects.filter(({ kind }) => kind === 'Deployment');
    const labels = deployments.map(({ spec }) => (spec as { template: { metadata: { labels: object } } }).template);
    assert.equal(new Set(labels.map(({ metadata }) => JSON.stringify(metadata.labels))).size, 2);
    const selectors = deployments.map(
      ({ spec }) => (spec as { selector: { matchLabels: object } }).selector.matchLabels,
    );
    const [first, second] = labels.map(({ metadata }) => metadata.labels);
    assert.throws(() => assert.partialDeepStrictEqual(first ?? {}, selectors[1] ?? {}));
    assert.throws(() => assert.partialDeepStrictEqual(second ?? {}, selectors[0] ?? {}));
    const ours = await ofMetricsApi();
    assert.equal((only(ours, 'Deployment').spec as { replicas: number }).replicas, 2);
    assert.deepEqual(only(ours, 'PodDisruptionBudget').spec, {
      maxUnavailable: 1,
      selector: { matchLabels: (only(ours, 'Service').spec as { selector: object }).selector },
    });
  });

  it('may read and write one Secret, and make none', async () => {
    const roles = (await ofMetricsApi()).filter(({ kind }) => kind.endsWith('Role'));
    const rules = roles.flatMap((role) => role.rules as readonly Record<string, readonly string[]>[]);
    const secrets = rules.filter(({ resources }) => resources?.includes('secrets'));
    assert.deepEqual(secrets, [
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['ms-modelservice-operator-metrics-api'],
        verbs: ['list', 'patch', 'watch'],
      },
    ]);
  });

  for (const version of VERSIONS) {
    it(`is refused where somebody else serves ${version}, and says what to do instead`, async () => {
      const name = `${version}.custom.metrics.k8s.io`;
      await testApi().create(RESOURCES.apiServices, {
        metadata: { name },
        spec: {
          group: 'custom.metrics.k8s.io',
          version,
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { namespace: namespace(), name: 'adapter' },
        },
      });
      try {
        await assert.rejects(
          helm(['install'], options(), ['--dry-run=server']),
          (error) =>
            error instanceof ToolError &&
            /served already, by Service \S+\/adapter .*: set metrics\.provider to prometheus-adapter .* or to none/.test(
              error.stderr,
            ),
        );
      } finally {
        await testApi().delete(RESOURCES.apiServices, { name });
      }
    });
  }
});

interface PodSpec {
  readonly volumes?: readonly object[];
  readonly containers: readonly { readonly volumeMounts?: readonly { readonly mountPath: string }[] }[];
}

function argsOf(objects: readonly RenderedObject[]): readonly string[] {
  return (only(objects, 'Deployment').spec as DeploymentSpec).template.spec.containers[0]?.args ?? [];
}
