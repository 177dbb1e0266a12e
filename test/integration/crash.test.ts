import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { type FaultProxy, startFaultProxy, workWrites } from './support/fault-proxy.ts';
import { modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount } from './support/operator-account.ts';
import { type OperatorProcess, startOperator } from './support/operator-process.ts';
import { lastLines } from './support/program-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

const CRASHES = 20;
const CPU = { type: 'Cpu', target: { averageUtilization: 80 } };
const SERVER = { resources: { requests: { cpu: '100m' } } };

/** How a service is made, and what becomes of it: together more than 20 writes. */
const LIVES: readonly { readonly made: object; readonly changed: object }[] = [
  { made: {}, changed: { spec: { server: { env: [{ name: 'CHANGED', value: 'yes' }] } } } },
  {
    made: { server: SERVER, scaling: { minReplicas: 2, maxReplicas: 5, metrics: [CPU] } },
    changed: { spec: { scaling: null } },
  },
  { made: { scaling: { minReplicas: 3 } }, changed: { spec: { suspend: true } } },
  { made: { pod: { labels: { team: 'a' } } }, changed: { spec: { pod: { labels: { team: 'b' } } } } },
];

const KINDS = ['deployments', 'services', 'horizontalPodAutoscalers', 'podDisruptionBudgets'] as const;

const CHILD_RESOURCES: ReadonlySet<string> = new Set(KINDS.map((kind) => RESOURCES[kind].plural));

describe('An operator that crashes', function () {
  this.timeout(300_000);
  const namespace = useNamespace('crash');
  let proxy: FaultProxy;
  let kubeconfig: string;
  let operator: OperatorProcess;

  before('start an operator that does not crash yet', async () => {
    proxy = await startFaultProxy(testCluster());
    kubeconfig = await testCluster().kubeconfigFor(await createOperatorAccount(namespace()), { server: proxy.url });
    operator = await start();
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    console.log(`The end of the operator's log:\n${lastLines(await operator.logs(), 40)}`);
  });
  after('stop it', async () => {
    await operator?.stop();
    await proxy?.stop();
  });

  it(`after the first write, the second, … or the ${CRASHES}th leaves nothing that the next does not bring right`, async () => {
    await make('reference');
    await carriedOut('reference');
    await change('reference');
    await carriedOut('reference');
    const reference = await stateOf('reference');
    assert.ok(reference.length >= 2 * LIVES.length, 'each has its Deployment and its Service');

    for (let crash = 1; crash <= CRASHES; crash++) {
      const crashed = Promise.withResolvers<void>();
      proxy.afterWrites(crash, crashed.resolve, { cut: true });
      // The changes come among the creations of the next ones.
      await Promise.all([make(groupOf(crash)), crash === 1 ? undefined : change(groupOf(crash - 1))]);
      await crashed.promise;
      await operator.crash();
      proxy.heal();
      operator = await start();
      await carriedOut(groupOf(crash));
      if (crash === 1) continue;
      await carriedOut(groupOf(crash - 1));
      assert.deepEqual(await stateOf(groupOf(crash - 1)), reference, `after write ${crash}`);
    }
  });

  it('and the one after it writes none of the children', async () => {
    const versions = await versionsOfChildren();
    await operator.stop();
    const before = workWrites(proxy).length;
    operator = await start();
    // What is there when it starts comes first.
    await testApi().create(RESOURCES.modelServices, {
      metadata: { namespace: namespace(), name: 'sentinel' },
      spec: modelService('sentinel').spec,
    });
    await eventually(() => testApi().get(RESOURCES.modelServices, { namespace: namespace(), name: 'sentinel' }), {
      because: 'it has come to what is made last',
      until: ({ status }) => status?.observedGeneration !== undefined,
    });
    // A status may change yet, and an Event tell it: the pods of some are still going.
    const others = workWrites(proxy)
      .slice(before)
      .filter(({ resource, name }) => CHILD_RESOURCES.has(resource) && name !== 'sentinel');
    assert.deepEqual(others, []);
    assert.deepEqual(await versionsOfChildren(), versions);
  });

  function start(): Promise<OperatorProcess> {
    return startOperator({ kubeconfig, namespaces: [namespace()] });
  }

  async function make(group: string): Promise<void> {
    for (const [index, { made }] of LIVES.entries()) {
      const name = `${group}-${index}`;
      const { spec } = modelService(name, { ...made });
      await testApi().create(RESOURCES.modelServices, { metadata: { namespace: namespace(), name }, spec });
    }
  }

  async function change(group: string): Promise<void> {
    for (const [index, { changed }] of LIVES.entries()) {
      await testApi().mergePatch(
        RESOURCES.modelServices,
        { namespace: namespace(), name: `${group}-${index}` },
        changed,
      );
    }
  }

  /** The status of each service speaks of its present spec, which is written after the children. */
  async function carriedOut(group: string): Promise<void> {
    for (const index of LIVES.keys()) {
      await eventually(
        () => testApi().get(RESOURCES.modelServices, { namespace: namespace(), name: `${group}-${index}` }),
        {
          because: `${group}-${index} is carried out`,
          until: ({ metadata, status }) => status?.observedGeneration === metadata.generation,
          deadlineMs: 60_000,
        },
      );
    }
  }

  /** All children of a group, each with its spec and who owns which of its fields, the group's name taken out. */
  async function stateOf(group: string): Promise<readonly string[]> {
    const lists = await Promise.all(KINDS.map((kind) => testApi().list(RESOURCES[kind], { namespace: namespace() })));
    return lists
      .flat()
      .filter(({ metadata }) => metadata.name.startsWith(`${group}-`))
      .map((child) => {
        // A hash in which the name takes part.
        const revision = field(child, 'spec', 'template', 'metadata', 'labels', 'modelservice.dev/revision');
        return JSON.stringify(stateOfChild(child)).replaceAll(group, 'GROUP').replaceAll(`"${revision}"`, '"REVISION"');
      })
      .toSorted();
  }

  /** Of those kinds of which nobody else writes a status. */
  async function versionsOfChildren(): Promise<readonly string[]> {
    const services = await testApi().list(RESOURCES.services, { namespace: namespace() });
    return services
      .filter(({ metadata }) => metadata.name !== 'sentinel')
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
      .toSorted();
  }
});

/** None is part of another. */
function groupOf(crash: number): string {
  return `after${crash}x`;
}

function stateOfChild(child: AnyObject): object {
  const { kind, metadata } = child;
  const spec = structuredClone(child.spec ?? {}) as Record<string, unknown>;
  // Each Service has its own.
  delete spec.clusterIP;
  delete spec.clusterIPs;
  const owners = metadata.ownerReferences?.map((owner) => `${owner.kind} ${owner.name}`);
  const managers = (metadata.managedFields ?? [])
    .filter(({ manager }) => manager.startsWith('modelservice'))
    .map(({ manager, fieldsV1 }) => ({ manager, owns: Object.keys(field(fieldsV1, 'f:spec') ?? {}).toSorted() }))
    .toSorted((a, b) => (a.manager < b.manager ? -1 : 1));
  return { kind, name: metadata.name, owners, managers, spec };
}
