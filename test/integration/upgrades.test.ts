import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import type { ServiceAccountRef } from '../cluster/test-cluster.ts';
import { awaitObject, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { type OperatorProcess, startOperator } from './support/operator-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

const NEWER = new URL('./support/newer-operator-main.ts', import.meta.url);
const NEW_IMAGE = 'modelservice-server:newer-wasm';

const ROLES = { ...RESOURCES.roleBindings, kind: 'Role', plural: 'roles' };

interface PlanSeen {
  readonly exitStatus: unknown;
  /** Without the heading, each with one space between its columns. */
  readonly rows: readonly string[];
}

describe('Pods when the operator is upgraded', () => {
  const namespace = useNamespace('upgrades');
  const named = (name: string) => ({ namespace: namespace(), name });
  const always = modelService('always', { server: { updatePolicy: 'Always' } });
  let operator: OperatorProcess;
  let firstSets: readonly string[];
  /** What `modelservice plan` said before, of the images that are there and of the new ones. */
  let unchanged: PlanSeen;
  let planned: PlanSeen;

  before('have services made by one operator, then start a newer one', async () => {
    operator = await startOperator({ namespaces: [namespace()] });
    for (const manifest of [modelService('kept'), modelService('orphaned'), always]) {
      await applyManifest(namespace(), manifest);
    }
    firstSets = [...(await setsOf('kept')), ...(await setsOf('orphaned')), ...(await setsOf('always'))];
    await scale('kept', 3);
    await suspend('kept', true, 0);
    await suspend('kept', false, 3);
    assert.deepEqual(await setsOf('kept'), firstSets.slice(0, 1), 'neither size nor suspend rolls pods');
    unchanged = await planUpgrade('modelservice-server:test-wasm');
    planned = await planUpgrade(NEW_IMAGE);
    await operator.stop();
    operator = await startOperator({
      namespaces: [namespace()],
      main: NEWER,
      args: [`--server-image-wasm=${NEW_IMAGE}`],
    });
  });
  after('stop the operator', () => operator?.stop());

  it('are told of beforehand by modelservice plan', () => {
    assert.deepEqual(unchanged, {
      exitStatus: 0,
      rows: ['always no nothing', 'kept no nothing', 'orphaned no nothing'],
    });
    assert.deepEqual(planned, {
      exitStatus: 1,
      rows: [
        `always yes image modelservice-server:test-wasm → ${NEW_IMAGE} (updatePolicy Always)`,
        'kept no nothing',
        'orphaned no nothing',
      ],
    });
  });

  it('roll once with updatePolicy Always', async () => {
    const sets = await setsOf('always', 2);
    assert.ok(sets.includes(firstSets[2] ?? ''));
    assert.deepEqual(await serverOf('always'), { image: NEW_IMAGE, newer: true });
  });

  it('stay as they are otherwise, also when the service is scaled, suspended and resumed', async () => {
    await scale('kept', 2);
    await suspend('kept', true, 0);
    await suspend('kept', false, 2);
    assert.deepEqual(await setsOf('kept'), firstSets.slice(0, 1));
    assert.deepEqual(await serverOf('kept'), { image: 'modelservice-server:test-wasm', newer: false });
  });

  it('stay when the ModelService is deleted with --cascade=orphan and made anew from a backup', async () => {
    await kubectl(['delete', 'msvc', 'orphaned', '--cascade=orphan', '--namespace', namespace()]);
    await applyManifest(namespace(), modelService('orphaned', { scaling: { minReplicas: 2 } }));
    const { metadata } = await testApi().get(RESOURCES.modelServices, named('orphaned'));
    await awaitObject('deployments', named('orphaned'), {
      because: 'the Deployment belongs to the new ModelService',
      until: (deployment) =>
        deployment.metadata.ownerReferences?.[0]?.uid === metadata.uid && field(deployment, 'spec', 'replicas') === 2,
    });
    assert.deepEqual(await setsOf('orphaned'), firstSets.slice(1, 2));
  });

  it('take over what is new with the next change of the spec', async () => {
    await applyManifest(namespace(), modelService('kept', { server: { logLevel: 'Debug' } }));
    const sets = await setsOf('kept', 2);
    assert.ok(sets.includes(firstSets[0] ?? ''));
    assert.deepEqual(await serverOf('kept'), { image: NEW_IMAGE, newer: true });
  });

  it('stay when somebody spoils what the Deployment remembers', async () => {
    const sets = await setsOf('kept', 2);
    const remembered = (deployment: AnyObject) => deployment.metadata.annotations?.['modelservice.dev/pod-template'];
    const before = await testApi().get(RESOURCES.deployments, named('kept'));
    await testApi().mergePatch(RESOURCES.deployments, named('kept'), {
      metadata: { annotations: { 'modelservice.dev/pod-template': remembered(before)?.replace(NEW_IMAGE, 'theirs') } },
    });
    await awaitObject('deployments', named('kept'), {
      because: 'the Deployment remembers what it did',
      until: (deployment) =>
        remembered(deployment) === remembered(before) &&
        deployment.metadata.resourceVersion !== before.metadata.resourceVersion,
    });
    assert.deepEqual(await setsOf('kept', 2), sets);
  });

  it('are the same when everything is deleted and made anew by the same operator', async () => {
    await applyManifest(namespace(), modelService('restored'));
    const sets = await setsOf('restored');
    await kubectl(['delete', 'msvc', 'restored', '--namespace', namespace()]);
    const labelSelector = 'modelservice.dev/name=restored';
    await eventually(() => testApi().list(RESOURCES.replicaSets, { namespace: namespace(), labelSelector }), {
      because: 'its pods are gone',
      until: ({ length }) => length === 0,
    });
    await applyManifest(namespace(), modelService('restored'));
    assert.deepEqual(await setsOf('restored'), sets);
  });

  /** The names of its ReplicaSets, which end with the hash of their pods' template. */
  async function setsOf(name: string, count = 1): Promise<readonly string[]> {
    const labelSelector = `modelservice.dev/name=${name}`;
    const sets = await eventually(
      () => testApi().list(RESOURCES.replicaSets, { namespace: namespace(), labelSelector }),
      { because: `${name} has ${count} ReplicaSets`, until: ({ length }) => length === count },
    );
    return sets.map(({ metadata }) => metadata.name).toSorted();
  }

  /** As somebody runs it before an upgrade, with rights to read only. */
  async function planUpgrade(image: string): Promise<PlanSeen> {
    const launcher = fileURLToPath(new URL('../../operator/bin/modelservice.js', import.meta.url));
    const kubeconfig = await testCluster().kubeconfigFor(await readingAccount());
    const child = spawn(process.execPath, [launcher, 'plan', '-n', namespace(), `--server-image-wasm=${image}`], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [[exitStatus], stdout] = await Promise.all([once(child, 'close'), text(child.stdout)]);
    const [, ...lines] = stdout.trimEnd().split('\n');
    const rows = lines.map((line) => line.replace(`${namespace()}/`, '').replace(/ +/g, ' '));
    return { exitStatus, rows };
  }

  async function readingAccount(): Promise<ServiceAccountRef> {
    const account = named('reader');
    if ((await testApi().find(RESOURCES.serviceAccounts, account)) !== undefined) return account;
    await testApi().create(RESOURCES.serviceAccounts, { metadata: account });
    const rules = [
      { apiGroups: ['apps', 'modelservice.dev'], resources: ['deployments', 'modelservices'], verbs: ['list'] },
    ];
    await testApi().create(ROLES, { metadata: account, rules });
    await testApi().create(RESOURCES.roleBindings, {
      metadata: account,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
    return account;
  }

  async function serverOf(name: string): Promise<{ readonly image: unknown; readonly newer: boolean }> {
    const deployment = await testApi().get(RESOURCES.deployments, named(name));
    const server = field(deployment, 'spec', 'template', 'spec', 'containers', 0);
    const env = field(server, 'env') as readonly { readonly name: string }[];
    return { image: field(server, 'image'), newer: env.some((variable) => variable.name === 'NEWER') };
  }

  async function scale(name: string, replicas: number): Promise<void> {
    await kubectl(['scale', 'msvc', name, `--replicas=${replicas}`, '--namespace', namespace()]);
    await size(name, replicas);
  }

  async function suspend(name: string, suspended: boolean, replicas: number): Promise<void> {
    await testApi().mergePatch(RESOURCES.modelServices, named(name), { spec: { suspend: suspended } });
    await size(name, replicas);
  }

  /** The Deployment's controller has carried that size out, and so would have made a ReplicaSet by now. */
  async function size(name: string, replicas: number): Promise<void> {
    await awaitObject('deployments', named(name), {
      because: `${name} has ${replicas} pods`,
      until: ({ metadata, spec, status }) =>
        spec?.replicas === replicas &&
        status?.observedGeneration === metadata.generation &&
        (status?.replicas ?? 0) === replicas,
    });
  }
});
