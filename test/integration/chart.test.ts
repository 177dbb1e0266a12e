import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { after, before, describe, it } from 'mocha';
import { CHART, chartTemplate, helm, only, operatorRules, renderChart } from './support/chart.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { runTool, ToolError } from './support/run-tool.ts';
import { testApi } from './support/test-run.ts';

const CLUSTER_WIDE = { watchNamespaces: [] };
const CRD = 'modelservices.modelservice.dev';

describe('the chart', () => {
  const namespace = useNamespace('chart');
  const options = (values: Record<string, unknown> = {}) => ({ release: 'ms', namespace: namespace(), values });

  it('passes helm lint', async () => {
    await runTool('helm', ['lint', '--strict', CHART]);
  });

  it('renders crds/modelservice.yaml, whole and kept on uninstall', async () => {
    const source = load(await readFile(new URL('../../crds/modelservice.yaml', import.meta.url), 'utf8')) as {
      readonly metadata: object;
    };
    const { metadata, ...rendered } = only(await renderChart(options()), 'CustomResourceDefinition');
    const { metadata: _, ...expected } = source;
    assert.deepEqual(rendered, expected);
    assert.equal(metadata.name, CRD);
    assert.equal(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
  });

  const modes: readonly { title: string; values: (namespace: string) => Record<string, unknown> }[] = [
    { title: 'for all namespaces', values: () => CLUSTER_WIDE },
    { title: 'for one namespace', values: (name) => ({ watchNamespaces: [name] }) },
    {
      title: 'with every optional value set',
      values: (name) => ({
        imageRegistry: 'registry.example.com/team',
        imagePullSecrets: ['pull'],
        server: { images: { tensorflowGPU: 'gpu:1' } },
        serviceAccount: { name: 'renamed', annotations: { a: 'b' } },
        watchNamespaces: [name],
        crds: { keep: false },
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'dedicated', operator: 'Exists' }],
        affinity: { nodeAffinity: {} },
        priorityClassName: 'system-cluster-critical',
        podLabels: { team: 'ml' },
        podAnnotations: { note: 'yes' },
        metrics: { dashboard: { enabled: true, annotations: { grafana_folder: 'Models' } } },
        fullnameOverride: 'other',
      }),
    },
  ];
  for (const { title, values } of modes) {
    it(`is taken by the API server as it is rendered ${title}`, async () => {
      const text = await chartTemplate(options(values(namespace())));
      await kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input: text });
    });
  }

  it('needs nothing cluster-wide where it may watch one namespace only', async () => {
    const objects = await renderChart(
      options({ watchNamespaces: ['team-a', 'team-b'], crds: { enabled: false }, rbac: { aggregateRoles: false } }),
    );
    const roles = objects.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace);
    // The Lease is in the release's own namespace.
    assert.deepEqual(roles, ['team-a', 'team-b', namespace()]);
    const kinds = new Set(objects.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), [
      'Deployment',
      'PodDisruptionBudget',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
    ]);
  });

  it('grants nothing but what its one sorted list of rules says, and no Secrets', async () => {
    const rules = operatorRules(await renderChart(options()));
    assert.notEqual(rules.length, 0);
    const names = rules.map(({ apiGroups, resources }) => `${apiGroups.join()}/${resources.join()}`);
    assert.deepEqual(names, names.toSorted());
    const named = JSON.stringify(rules);
    for (const word of ['"*"', '"secrets"', '"pods/exec"', '"configmaps"']) {
      assert.ok(!named.includes(word), `${word} in ${named}`);
    }
  });

  it('runs two operators, which keep to the restricted pod security standard', async () => {
    // The API server's own judgement: a namespace that enforces it admits the pod, or says what it lacks.
    await testApi().mergePatch(
      RESOURCES.namespaces,
      { name: namespace() },
      { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    );
    const deployment = only(await renderChart(options()), 'Deployment');
    const { replicas, strategy, template } = deployment.spec as {
      replicas: number;
      strategy: object;
      template: { spec: object };
    };
    assert.deepEqual({ replicas, strategy }, { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0 } } });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'operator' }, spec: template.spec };
    const account = only(await renderChart(options()), 'ServiceAccount');
    await kubectl(['apply', '-f', '-'], { input: JSON.stringify(account) });
    await kubectl(['apply', '-n', namespace(), '--dry-run=server', '-f', '-'], { input: JSON.stringify(pod) });
  });

  it('has Prometheus scrape the metrics Service, and through it the operator', async () => {
    const values = {
      metrics: { serviceMonitor: { enabled: true, interval: '30s', labels: { release: 'prometheus' } } },
    };
    const objects = await renderChart(options(values));
    const service = only(objects, 'Service');
    const monitor = only(objects, 'ServiceMonitor');
    const { selector, endpoints } = monitor.spec as {
      selector: { matchLabels: Record<string, string> };
      endpoints: readonly object[];
    };
    assert.partialDeepStrictEqual(service.metadata.labels, selector.matchLabels);
    assert.deepEqual(endpoints, [{ port: 'metrics', honorLabels: true, interval: '30s' }]);
    assert.equal(monitor.metadata.labels.release, 'prometheus');

    const { ports, selector: pods } = service.spec as { ports: readonly object[]; selector: object };
    assert.deepEqual(ports, [{ name: 'metrics', port: 8080, targetPort: 'metrics' }]);
    const { template } = only(objects, 'Deployment').spec as { template: { metadata: { labels: object } } };
    assert.partialDeepStrictEqual(template.metadata.labels, pods);
  });

  it('makes monitors where prometheus-operator is installed, unless told otherwise', async () => {
    const kinds = ['PodMonitor', 'ServiceMonitor'];
    const monitors = async (metrics: object = {}, served: readonly string[] = kinds) => {
      const apiVersions = served.map((kind) => `monitoring.coreos.com/v1/${kind}`);
      const objects = await renderChart({ ...options({ metrics, gateway: { replicas: 2 } }), apiVersions });
      const found = objects.filter(({ kind }) => kinds.includes(kind));
      return found.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    };
    const name = 'ms-modelservice-operator';
    const podMonitors = [`PodMonitor ${name}-gateway`, `PodMonitor ${name}-models`];
    assert.deepEqual(await monitors(), [...podMonitors, `ServiceMonitor ${name}`]);
    assert.deepEqual(await monitors({}, []), []);
    assert.deepEqual(await monitors({ serviceMonitor: { enabled: false } }), podMonitors);
    assert.deepEqual(await monitors({ service: false }), podMonitors, 'without the Service there is nothing to select');
    assert.deepEqual(await monitors({ podMonitor: { enabled: true } }, []), podMonitors);
  });

  it('has prometheus-operator scrape the models wherever they are looked after', async () => {
    const podMonitor = { enabled: true, interval: '15s', labels: { release: 'prometheus' } };
    const monitorFor = async (values: object) => only(await renderChart(options({ ...values })), 'PodMonitor');
    const everywhere = await monitorFor({ metrics: { podMonitor } });
    assert.equal(everywhere.metadata.labels.release, 'prometheus');
    assert.partialDeepStrictEqual(everywhere.spec, {
      namespaceSelector: { any: true },
      podMetricsEndpoints: [{ port: 'metrics', interval: '15s' }],
    });
    const { spec } = await monitorFor({ metrics: { podMonitor }, watchNamespaces: ['a'] });
    assert.partialDeepStrictEqual(spec, { namespaceSelector: { matchNames: ['a'] } });
  });

  const refused: readonly { values: Record<string, unknown>; message: RegExp }[] = [
    { values: { replica: 2 }, message: /additional properties 'replica' not allowed/ },
    { values: { server: { image: 'x' } }, message: /at '\/server': additional properties 'image' not allowed/ },
    { values: { watchNamespaces: 'default' }, message: /at '\/watchNamespaces': got string, want array/ },
    { values: { watchNamespaces: [''] }, message: /at '\/watchNamespaces\/0'/ },
    { values: { replicas: 0 }, message: /at '\/replicas': minimum: got 0, want 1/ },
    { values: { workers: 0 }, message: /at '\/workers': minimum: got 0, want 1/ },
    { values: { logLevel: 'loud' }, message: /at '\/logLevel': value must be one of/ },
    { values: { image: '' }, message: /at '\/image': minLength/ },
    {
      values: { metrics: { service: false, serviceMonitor: { enabled: true } } },
      message: /set metrics\.service to true as well/,
    },
  ];
  for (const { values, message } of refused) {
    it(`refuses ${JSON.stringify(values)}`, async () => {
      await assert.rejects(
        renderChart(options(values)),
        (error) => error instanceof ToolError && message.test(error.stderr),
      );
    });
  }

  for (const { version, taken } of [
    { version: '1.29.9', taken: false },
    { version: '1.30.0', taken: true },
    { version: 'v1.33.4-eks-abc123', taken: true },
    { version: '1.34.2+k3s1', taken: true },
    { version: 'v1.36.9-gke.1', taken: true },
    { version: '1.37.0-alpha.1', taken: false },
    { version: '1.37.0', taken: false },
  ]) {
    it(`is ${taken ? 'for' : 'refused by'} Kubernetes ${version}`, async () => {
      const rendered = chartTemplate(options(), ['--kube-version', version]);
      if (taken) await rendered;
      else await assert.rejects(rendered, /chart requires kubeVersion: >=1\.30\.0-0 <1\.37\.0-0/);
    });
  }

  it('describes every value that the schema knows, and no other', async () => {
    const values = load(await readFile(`${CHART}/values.yaml`, 'utf8')) as object;
    const schema = JSON.parse(await readFile(`${CHART}/values.schema.json`, 'utf8')) as Schema;
    const { global: _, ...properties } = schema.properties ?? {};
    assert.deepEqual(valueNames(values, { ...schema, properties }), schemaNames({ ...schema, properties }));
  });

  describe('as a release', () => {
    const release = () => options({ metrics: { service: false } });
    let notes: string;

    before(async () => {
      // The suites' own definition is there already; a person without one needs no such flag.
      notes = await helm(['install'], release(), ['--take-ownership']);
    });
    after(async () => {
      await runTool('helm', ['uninstall', 'ms', '--namespace', namespace(), '--ignore-not-found', '--wait=false']);
    });

    it('says what to do next', () => {
      assert.match(notes, /kubectl -n \S+ rollout status deployment\/ms-modelservice-operator/);
      assert.match(notes, /kind: ModelService/);
      assert.match(notes, /No image for GPUs is set/);
    });

    it('gives a first ModelService that the API server takes', async () => {
      const manifest = /<<EOF\n(.*?)\n {2}EOF/s.exec(notes)?.[1] ?? '';
      await kubectl(['apply', '-n', namespace(), '--dry-run=server', '-f', '-'], {
        input: manifest.replace(/^ {2}/gm, ''),
      });
    });

    it('lets who may edit a namespace edit its ModelServices, and who may view it only view them', async () => {
      const can = (verb: string, role: string) =>
        kubectl(['auth', 'can-i', verb, 'modelservices.modelservice.dev', '-n', namespace(), '--as', role]).catch(
          (error: unknown) => (error instanceof ToolError ? 'no' : Promise.reject(error)),
        );
      for (const role of ['view', 'edit']) {
        await kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}r`, '-n', namespace()]);
      }
      await eventually(() => can('update', 'editr'), {
        because: 'the edit role is aggregated',
        until: (answer) => answer.trim() === 'yes',
      });
      assert.equal((await can('get', 'viewr')).trim(), 'yes');
      assert.equal((await can('update', 'viewr')).trim(), 'no');
    });

    it('is upgraded, its definition with it', async () => {
      await testApi().mergePatch(
        RESOURCES.customResourceDefinitions,
        { name: CRD },
        { spec: { names: { shortNames: ['stale'] } } },
      );
      await helm(['upgrade'], release());
      const shortNames = await kubectl(['get', 'crd', CRD, '-o', 'jsonpath={.spec.names.shortNames}']);
      assert.equal(shortNames, '["msvc"]');
    });

    it('leaves the definition and the ModelServices when it is uninstalled', async () => {
      await testApi().create(RESOURCES.modelServices, {
        metadata: { name: 'kept', namespace: namespace() },
        spec: { model: { uri: 'file:///examples/mnist/model' } },
      });
      await runTool('helm', ['uninstall', 'ms', '--namespace', namespace()]);
      await testApi().get(RESOURCES.modelServices, { namespace: namespace(), name: 'kept' });
      const left = await testApi().find(RESOURCES.deployments, {
        namespace: namespace(),
        name: 'ms-modelservice-operator',
      });
      assert.equal(left, undefined);
    });

    it('can be installed again over the definition that it left', async () => {
      await helm(['install'], release());
      await testApi().get(RESOURCES.deployments, { namespace: namespace(), name: 'ms-modelservice-operator' });
    });
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Paths of all values, down to where the schema names no more. */
function valueNames(values: object, schema: Schema, path = ''): string[] {
  return Object.entries(values)
    .flatMap(([name, value]) => {
      const child = schema.properties?.[name];
      return child?.properties !== undefined && typeof value === 'object' && value !== null && name !== 'resources'
        ? valueNames(value, child, `${path}${name}.`)
        : [`${path}${name}`];
    })
    .sort();
}

function schemaNames({ properties = {} }: Schema, path = ''): string[] {
  return Object.entries(properties)
    .flatMap(([name, child]) =>
      child.properties !== undefined && name !== 'resources'
        ? schemaNames(child, `${path}${name}.`)
        : [`${path}${name}`],
    )
    .sort();
}
