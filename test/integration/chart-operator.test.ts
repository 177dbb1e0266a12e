import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { AuditEvent } from '../cluster/audit-log.ts';
import { type InstalledChart, installChart } from './support/chart.ts';
import { eventually } from './support/eventually.ts';
import { KubectlError, kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { usernameOf } from './support/operator-account.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi, testCluster } from './support/test-run.ts';

const CPU = { type: 'Cpu', target: { averageUtilization: 80 } };

const FORBIDDEN: readonly (readonly [verb: string, resource: string])[] = [
  ['get', 'secrets'],
  ['list', 'secrets'],
  ['watch', 'secrets'],
  ['list', 'configmaps'],
  ['create', 'pods/exec'],
  ['get', 'pods/log'],
  ['delete', 'pods'],
  ['update', 'modelservices.modelservice.dev'],
  ['delete', 'modelservices.modelservice.dev'],
];

for (const { title, watchesAll } of [
  { title: 'an operator that the chart installed for one namespace', watchesAll: false },
  { title: 'an operator that the chart installed for all namespaces', watchesAll: true },
]) {
  describe(title, () => {
    const home = useNamespace('chart-home');
    const watched = useNamespace('chart-watched');
    const other = useNamespace('chart-other');
    let chart: InstalledChart;
    let kubeconfig: string;

    before('helm template | kubectl apply', async () => {
      const leaderElection = { leaseDuration: '60s', renewDeadline: '40s' };
      const values = { watchNamespaces: watchesAll ? [] : [watched()], gateway: { replicas: 2 }, leaderElection };
      // Its own name: what is cluster-wide carries the release's.
      chart = await installChart({ release: home(), namespace: home(), values });
      kubeconfig = await testCluster().kubeconfigFor(chart.serviceAccount);
    });
    after(() => chart?.uninstall());
    const operator = useOperator(() => ({
      kubeconfig,
      namespaces: watchesAll ? [] : [watched()],
      args: chart.operatorArgs,
    }));

    it('serves a ModelService where it watches', async () => {
      await createModelService(watched(), 'digits');
      for (const type of [RESOURCES.deployments, RESOURCES.services]) {
        await eventually(() => testApi().get(type, { namespace: watched(), name: 'digits' }), {
          because: `it has its ${type.kind}`,
        });
      }
      await eventually(() => testApi().get(RESOURCES.modelServices, { namespace: watched(), name: 'digits' }), {
        because: 'it has a status',
        until: ({ status }) => status?.url !== undefined,
      });
    });

    it(watchesAll ? 'serves one in another namespace as well' : 'leaves one elsewhere alone', async () => {
      await createModelService(other(), 'digits');
      // What is made last in the watched namespace is served; by then the other would have been, too.
      await createModelService(watched(), 'later');
      const deployment = (namespace: string, name: string) =>
        testApi().find(RESOURCES.deployments, { namespace, name });
      await eventually(() => deployment(watched(), 'later'), {
        because: 'the later one is served',
        until: (found) => found !== undefined,
      });
      if (watchesAll) {
        await eventually(() => deployment(other(), 'digits'), {
          because: 'the one in another namespace is served',
          until: (found) => found !== undefined,
        });
      } else {
        assert.equal(await deployment(other(), 'digits'), undefined);
      }
      assert.equal(await can('list', 'modelservices.modelservice.dev', other()), watchesAll);
    });

    it('uses every right that it is granted, where the cluster has an audit log', async () => {
      const { auditEvents } = testCluster();
      if (auditEvents === undefined) return;
      // An autoscaler, the gateway's slice and a budget come and go: the operator deletes no other child itself.
      const scaling = { minReplicas: 0, maxReplicas: 3, idleAfter: '10m', metrics: [CPU] };
      await createModelService(watched(), 'autoscaled', scaling);
      await createModelService(watched(), 'two', { minReplicas: 2 });
      const autoscaled = { namespace: watched(), name: 'autoscaled' };
      const comers = () =>
        Promise.all([
          testApi().find(RESOURCES.horizontalPodAutoscalers, autoscaled),
          testApi().find(RESOURCES.endpointSlices, { namespace: watched(), name: 'autoscaled--gateway' }),
          testApi().find(RESOURCES.podDisruptionBudgets, { namespace: watched(), name: 'two' }),
        ]);
      await eventually(comers, { because: 'all are there', until: (found) => !found.includes(undefined) });
      for (const name of ['autoscaled', 'two']) {
        const service = { namespace: watched(), name };
        await testApi().mergePatch(RESOURCES.modelServices, service, { spec: { scaling: null } });
      }
      await eventually(comers, { because: 'all are gone', until: (found) => found.every((one) => one === undefined) });

      // What goes wrong is told in an Event.
      const service = { metadata: { namespace: watched(), name: 'taken' }, spec: { ports: [{ port: 443 }] } };
      await testApi().create(RESOURCES.services, service);
      await createModelService(watched(), 'taken');

      const rights = chart.rules.flatMap(({ apiGroups, resources, verbs }) =>
        verbs.map((verb) => `${verb} ${apiGroups[0]}/${resources[0]}`),
      );
      // The API server checks these along with a patch, and never records them as requests of their own: deleting is
      // asked for where an object gets an owner.
      const unrecorded = (right: string) =>
        /^create (?!coordination)|^delete (\/services|apps\/deployments)$/.test(right);
      await eventually(async () => usedRights(await auditEvents(), usernameOf(chart.serviceAccount)), {
        because: 'the rights used are those granted',
        until: (used) => isDeepStrictEqual(used, rights.filter((right) => !unrecorded(right)).sort()),
      });
    });

    it('is refused nothing that it tries', async () => {
      // Not every "forbidden" is one of rights: a namespace that is being deleted says it, too.
      assert.doesNotMatch(await operator().logs(), /cannot \w+ resource/);
    });

    for (const [verb, resource] of FORBIDDEN) {
      it(`may not ${verb} ${resource}`, async () => {
        for (const namespace of [home(), watched(), other(), 'kube-system']) {
          assert.equal(await can(verb, resource, namespace), false, namespace);
        }
      });
    }

    it('is refused when it asks for Secrets all the same', async () => {
      await assert.rejects(
        kubectl(['get', 'secrets', '-n', watched()], { kubeconfig }),
        (error) => error instanceof KubectlError && /Error from server \(Forbidden\)/.test(error.stderr),
      );
    });

    async function can(verb: string, resource: string, namespace: string): Promise<boolean> {
      try {
        await kubectl(['auth', 'can-i', verb, resource, '-n', namespace, '--quiet'], { kubeconfig });
        return true;
      } catch (error) {
        // 1 is its "no"; any other status is a failure.
        if (error instanceof KubectlError && error.exitCode === 1 && error.stderr === '') return false;
        throw error;
      }
    }
  });
}

async function createModelService(namespace: string, name: string, scaling: object = {}): Promise<void> {
  await testApi().create(RESOURCES.modelServices, {
    metadata: { name, namespace },
    spec: {
      model: { uri: 'file:///examples/mnist/model' },
      // Scaling on a share of the CPU request needs one.
      server: { resources: { requests: { cpu: '1' } } },
      scaling,
    },
  });
}

/** Like `patch apps/deployments`, of one user, each once. */
function usedRights(events: readonly AuditEvent[], username: string): string[] {
  const rights = events
    // A test that asks as the same account comes with kubectl.
    .filter(({ user, userAgent = '' }) => user.username === username && !userAgent.startsWith('kubectl/'))
    .map(({ verb, objectRef: { apiGroup = '', resource = '', subresource } = {} }) =>
      [`${verb} ${apiGroup}/${resource}`, subresource].filter((part) => part !== undefined).join('/'),
    );
  return [...new Set(rights)].sort();
}
