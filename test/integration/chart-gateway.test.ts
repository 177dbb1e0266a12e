import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, it } from 'mocha';
import { GATEWAY_SETTINGS, type GatewayConfig, readConfig } from '../../operator/src/gateway/config.ts';
import { CHART, type DeploymentSpec, only, type RenderedObject, renderChart } from './support/chart.ts';
import { kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { ToolError } from './support/run-tool.ts';
import { testApi } from './support/test-run.ts';

/** Ports, as the chart's probes have them, and what is for tests. */
const NOT_IN_THE_CHART = ['bind-address', 'health-port', 'metrics-port', 'watch-silence-timeout'];

describe('the gateway in the chart', () => {
  const namespace = useNamespace('chart-gateway');
  const rendered = async (values: Record<string, unknown> = {}): Promise<readonly RenderedObject[]> => {
    const gateway = { replicas: 2, ...(values.gateway as object | undefined) };
    const objects = await renderChart({ release: 'ms', namespace: namespace(), values: { ...values, gateway } });
    return objects.filter(({ metadata }) => metadata.name.endsWith('-gateway'));
  };
  const argsOf = (objects: readonly RenderedObject[]): readonly string[] =>
    (only(objects, 'Deployment').spec as DeploymentSpec).template.spec.containers[0]?.args ?? [];

  for (const { title, values } of [
    { title: 'for all namespaces', values: () => ({}) },
    { title: 'for one namespace', values: () => ({ watchNamespaces: [namespace()], imagePullSecrets: ['pull'] }) },
  ]) {
    it(`is taken by the API server as it is rendered ${title}`, async () => {
      const input = (await rendered(values())).map((object) => JSON.stringify(object)).join('\n---\n');
      await kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input });
    });
  }

  it('is there by default, and not where gateway.replicas is 0', async () => {
    const values = load(await readFile(join(CHART, 'values.yaml'), 'utf8')) as { gateway: { replicas: number } };
    assert.equal(values.gateway.replicas, 2);
    assert.notDeepEqual(await rendered(), []);
    assert.deepEqual(await rendered({ gateway: { replicas: 0 } }), []);
  });

  it('has the same settings in the chart as without it', async () => {
    const args = argsOf(await rendered({ watchNamespaces: ['a', 'b'] }));
    const watched: GatewayConfig = { ...(readConfig([], {}) as GatewayConfig), watchNamespaces: ['a', 'b'] };
    assert.deepEqual(readConfig(args, {}), watched);
    const names = args.map((arg) => arg.replace(/^--([^=]+)=.*$/s, '$1'));
    const flags = Object.values(GATEWAY_SETTINGS).map(({ flag }) => flag);
    assert.deepEqual([...names, ...NOT_IN_THE_CHART].sort(), flags.toSorted());
  });

  it('is told how much it may hold', async () => {
    const config = readConfig(argsOf(await rendered({ gateway: { holdTimeout: '90s', maxHeldRequests: 7 } })), {});
    assert.partialDeepStrictEqual(config, { holdTimeoutMs: 90_000, maxHeldRequests: 7 });
  });

  it('leaves its size to the operator, and has time to drain', async () => {
    const { spec } = only(await rendered(), 'Deployment');
    const { template, ...rest } = spec as { template: { spec: object }; replicas?: number };
    assert.equal(rest.replicas, undefined);
    const { terminationGracePeriodSeconds } = template.spec as { terminationGracePeriodSeconds: number };
    const { drainTimeoutMs } = readConfig([], {}) as GatewayConfig;
    assert.ok(terminationGracePeriodSeconds * 1000 >= drainTimeoutMs + 10_000 + 5000);
  });

  it('runs apart from the operator, under a budget of its own', async () => {
    const objects = await renderChart({
      release: 'ms',
      namespace: namespace(),
      values: { gateway: { replicas: 2 }, metrics: { provider: 'builtin' } },
    });
    const deployments = objects.filter(({ kind }) => kind === 'Deployment');
    assert.equal(deployments.length, 3);
    for (const one of deployments) {
      for (const other of deployments.filter((candidate) => candidate !== one)) {
        const { selector } = one.spec as { selector: { matchLabels: object } };
        const { template } = other.spec as { template: { metadata: { labels: object } } };
        assert.throws(() => assert.partialDeepStrictEqual(template.metadata.labels, selector.matchLabels));
      }
    }
    const ours = await rendered();
    const { selector } = only(ours, 'Deployment').spec as { selector: object };
    assert.deepEqual(only(ours, 'PodDisruptionBudget').spec, { maxUnavailable: 1, selector });
    assert.deepEqual(selector, {
      matchLabels: { 'app.kubernetes.io/name': 'modelservice-operator-gateway', 'app.kubernetes.io/instance': 'ms' },
    });
  });

  it('may read three kinds and write one status', async () => {
    for (const { values, kinds } of [
      { values: {}, kinds: [['ClusterRole', undefined]] },
      {
        values: { watchNamespaces: ['a', 'b'] },
        kinds: [
          ['Role', 'a'],
          ['Role', 'b'],
        ],
      },
    ]) {
      const roles = (await rendered(values)).filter(({ kind }) => kind.endsWith('Role'));
      assert.deepEqual(
        roles.map(({ kind, metadata }) => [kind, metadata.namespace]),
        kinds,
      );
      for (const { rules } of roles) {
        assert.deepEqual(rules, [
          { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
          { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
          { apiGroups: ['modelservice.dev'], resources: ['modelservices'], verbs: ['list', 'watch'] },
          { apiGroups: ['modelservice.dev'], resources: ['modelservices/status'], verbs: ['patch'] },
        ]);
      }
    }
  });

  it('runs under the restricted pod security standard', async () => {
    await testApi().mergePatch(
      RESOURCES.namespaces,
      { name: namespace() },
      { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    );
    const objects = await rendered({ gateway: { priorityClassName: '' } });
    const { template } = only(objects, 'Deployment').spec as { template: { spec: object } };
    await kubectl(['apply', '-f', '-'], { input: JSON.stringify(only(objects, 'ServiceAccount')) });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'gateway' }, spec: template.spec };
    await kubectl(['apply', '-n', namespace(), '--dry-run=server', '-f', '-'], { input: JSON.stringify(pod) });
  });

  it('refuses a time that is none', async () => {
    await assert.rejects(
      rendered({ gateway: { holdTimeout: 'long' } }),
      (error) => error instanceof ToolError && /at '\/gateway\/holdTimeout'/.test(error.stderr),
    );
  });
});
