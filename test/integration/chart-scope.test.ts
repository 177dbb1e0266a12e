import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { type ChartOptions, helm, type RenderedObject, ROLE_NAME, type Rule, renderChart } from './support/chart.ts';
import { awaitObject } from './support/children.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { startOperator } from './support/operator-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import { runTool, ToolError } from './support/run-tool.ts';
import { testApi, testCluster } from './support/test-run.ts';

const EVERYTHING = {
  metrics: { provider: 'builtin', prometheusSecret: 'prometheus', prometheusUrl: 'http://prometheus' },
  gateway: { replicas: 2 },
};
/** What the operator and its parts may do outside of namespaces where these are named, and docs/installation.md says why. */
const CLUSTER_WIDE = ['apiregistration.k8s.io/apiservices', 'authorization.k8s.io/subjectaccessreviews'];

describe('The rights that the chart gives', () => {
  const rendered = (values: object): Promise<readonly RenderedObject[]> =>
    renderChart({ release: 'ms', namespace: 'home', values: { ...EVERYTHING, ...values } });
  const modes: readonly { readonly title: string; readonly values: object }[] = [
    { title: 'for all namespaces', values: {} },
    { title: 'for a list', values: { watchNamespaces: ['a', 'b'] } },
    {
      title: 'for one namespace with KEDA',
      values: { watchNamespaces: ['a'], metrics: { provider: 'keda', prometheusUrl: 'http://prometheus' } },
    },
    {
      title: 'beside another release',
      values: { watchNamespaces: ['a'], clusterWide: false, metrics: { provider: 'shared' } },
    },
  ];
  for (const { title, values } of modes) {
    it(`are to no Secret but by its name, and to no kind whatever, ${title}`, async () => {
      const roles = (await rendered(values)).filter(({ kind }) => kind.endsWith('Role'));
      assert.notEqual(roles.length, 0);
      for (const { kind, rules } of roles) {
        for (const { apiGroups, resources, verbs, resourceNames } of rules as readonly Rule[]) {
          assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'));
          if (!resources.includes('secrets')) continue;
          assert.deepEqual([kind, resourceNames], ['Role', ['ms-modelservice-operator-metrics-api']]);
        }
      }
    });
  }

  it('are for what has no namespace alone, where namespaces are named', async () => {
    const objects = await rendered({
      watchNamespaces: ['a', 'b'],
      metrics: { ...EVERYTHING.metrics, provider: 'builtin' },
    });
    const rules = objects
      .filter(({ kind, metadata }) => kind === 'ClusterRole' && !isAggregated(metadata.labels))
      .flatMap((role) => role.rules as readonly Rule[]);
    const named = rules.flatMap(({ apiGroups, resources }) =>
      resources.map((resource) => `${apiGroups[0]}/${resource}`),
    );
    assert.deepEqual([...new Set(named)].sort(), CLUSTER_WIDE);
    const roles = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === ROLE_NAME);
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.namespace),
      ['a', 'b'],
    );
  });

  it('lie in namespaces all of them, and so does every object, beside another release', async () => {
    const objects = await rendered({
      watchNamespaces: ['a', 'b'],
      clusterWide: false,
      metrics: { provider: 'shared' },
    });
    for (const { kind, metadata } of objects) {
      assert.ok(['home', 'a', 'b'].includes(metadata.namespace ?? ''), `${kind} ${metadata.name}`);
      assert.ok(!kind.startsWith('Cluster'), kind);
    }
  });

  it('let the metrics API read the pods of further namespaces', async () => {
    const api = { furtherNamespaces: ['c'] };
    const objects = await rendered({ watchNamespaces: ['a', 'b'], metrics: { provider: 'builtin', api } });
    const roles = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-pods'));
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.namespace),
      ['a', 'b', 'c'],
    );
    assert.ok(JSON.stringify(objects).includes('--watch-namespaces=a,b,c'));
  });

  for (const { values, message } of [
    { values: {}, message: /clusterWide=false needs watchNamespaces/ },
    {
      values: { watchNamespaces: ['a'], metrics: { provider: 'builtin' } },
      message: /set metrics\.provider to shared/,
    },
  ]) {
    it(`cannot be given beside another release with ${JSON.stringify(values)}`, async () => {
      await assert.rejects(
        rendered({ clusterWide: false, ...values }),
        (error) => error instanceof ToolError && message.test(error.stderr),
      );
    });
  }
});

describe('Two releases in one cluster', () => {
  const [firstHome, first, secondHome, second] = ['first-home', 'first', 'second-home', 'second'].map(useNamespace) as [
    () => string,
    () => string,
    () => string,
    () => string,
  ];
  const firstRelease = (): ChartOptions => ({
    release: 'first',
    namespace: firstHome(),
    // The suites' own definition is there already.
    values: { watchNamespaces: [first()], crds: { enabled: false } },
  });
  const secondRelease = (...watchNamespaces: readonly string[]): ChartOptions => ({
    release: 'second',
    namespace: secondHome(),
    values: { watchNamespaces, clusterWide: false, metrics: { provider: 'shared' } },
  });

  before('install the one with the cluster-wide part', async () => {
    await helm(['install'], firstRelease());
  });
  after(async () => {
    for (const { release, namespace } of [firstRelease(), secondRelease()]) {
      await runTool('helm', ['uninstall', release, '-n', namespace, '--ignore-not-found', '--wait=false']);
    }
  });

  it('need no right outside of its namespaces for the second', async () => {
    // Kubernetes lets nobody grant what he may not do himself: all, here, in two namespaces.
    await kubectl(['create', 'serviceaccount', 'owner', '-n', secondHome()]);
    for (const namespace of [secondHome(), second()]) {
      const who = ['--clusterrole=cluster-admin', `--serviceaccount=${secondHome()}:owner`];
      await kubectl(['create', 'rolebinding', 'owner', ...who, '-n', namespace]);
    }
    const kubeconfig = await testCluster().kubeconfigFor({ namespace: secondHome(), name: 'owner' });
    const notes = await helm(['install'], { ...secondRelease(second()), kubeconfig });
    assert.match(notes, /metrics\.api\.furtherNamespaces=\["test-second-/);
  });

  it('each look after their own namespaces', async () => {
    for (const [home, release, own, other] of [
      [firstHome(), 'first', first(), second()],
      [secondHome(), 'second', second(), first()],
    ] as const) {
      const account = `${release}-modelservice-operator`;
      await using operator = await startOperator({
        kubeconfig: await testCluster().kubeconfigFor({ namespace: home, name: account }),
        namespaces: [own],
        args: [
          '--metrics-provider=shared',
          `--leader-elect-resource-namespace=${home}`,
          `--leader-elect-resource-name=${account}`,
        ],
      });
      await applyManifest(own, modelService(release, { scaling: { maxReplicas: 3 } }));
      await applyManifest(other, modelService(`${release}-elsewhere`));
      await applyManifest(own, modelService('later'));
      for (const name of [release, 'later']) {
        await awaitObject(
          'modelServices',
          { namespace: own, name },
          {
            because: `the operator of ${own} looks after it`,
            until: ({ status }) => status?.observedGeneration !== undefined,
          },
        );
      }
      const ref = { namespace: other, name: `${release}-elsewhere` };
      assert.equal(await testApi().find(RESOURCES.deployments, ref), undefined);
      await testApi().delete(RESOURCES.modelServices, ref);
      assert.doesNotMatch(await operator.logs(), /cannot \w+ resource/);
    }
  });

  for (const { title, options, message } of [
    {
      title: 'a namespace that another one looks after, when it is installed',
      options: () => ({ ...secondRelease(first()), release: 'third' }),
      message: () => `${first()} is looked after by the release ${firstHome()}/first already`,
    },
    {
      title: 'all namespaces, when it is installed',
      options: () => ({ ...firstRelease(), release: 'third', values: { crds: { enabled: false } } }),
      message: () => /\S+ is looked after by the release \S+-home-\w+\/\w+ already/,
    },
  ]) {
    it(`cannot both look after ${title}`, async () => {
      await assert.rejects(helm(['install'], options(), ['--dry-run=server']), (error) => {
        assert.ok(error instanceof ToolError);
        const expected = message();
        assert.ok(
          typeof expected === 'string' ? error.stderr.includes(expected) : expected.test(error.stderr),
          error.stderr,
        );
        return true;
      });
    });
  }

  it('cannot both look after a namespace that is added to the second later', async () => {
    await assert.rejects(
      helm(['upgrade'], secondRelease(second(), first())),
      (error) => error instanceof ToolError && /is looked after by the release \S+\/first already/.test(error.stderr),
    );
    await helm(['upgrade'], secondRelease(second()), ['--dry-run=server']);
  });
});

function isAggregated(labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(labels).some((label) => label.includes('aggregate-to'));
}
