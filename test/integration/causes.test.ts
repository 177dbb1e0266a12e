import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { type Cause, columnsOf, type Expected, PLACES, type Place, type Ref } from './support/causes/cause.ts';
import { CONTROL_PLANE_CAUSES, OBSTACLES } from './support/causes/control-plane-causes.ts';
import { NODES_TAINT, useNodes } from './support/causes/nodes.ts';
import { STATUS_CAUSES } from './support/causes/status-causes.ts';
import { tableOf, tableOnPage, updatePage } from './support/causes/troubleshooting-page.ts';
import { awaitCondition, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { inGroups } from './support/in-groups.ts';
import { kubectl } from './support/kubectl.ts';
import { modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const CAUSES: readonly Cause[] = [...CONTROL_PLANE_CAUSES, ...STATUS_CAUSES];
const quota = (hard: object) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'team' },
  spec: { hard },
});

/** Of each child and the status of each of the ModelServices, which are worked on at the same time. */
const MOST_WARNINGS = 9;

/** All that is its owner's to say: controllers write its status. */
function theirsOf({ metadata, spec }: AnyObject): unknown {
  const { uid, generation, labels, ownerReferences, managedFields = [] } = metadata;
  // Kubernetes' own controllers write beside, whenever they come to it.
  const managers = managedFields.map(({ manager }) => manager).filter((name) => name !== 'kube-controller-manager');
  return { uid, generation, labels, ownerReferences, managers, spec };
}

const DIGEST_MESSAGE = STATUS_CAUSES.find(({ name }) => name === 'digest-mismatch')?.expected.message;

/** Where no pod answers, the condition that the table names tells the same cause as Ready. */
function isFirstCause(expected: Expected): boolean {
  return columnsOf(expected) === `False ${expected.reason}`;
}

function countOf(events: readonly AnyObject[], name: string, reason: string): number {
  return events.filter(
    (event) =>
      field(event, 'regarding', 'kind') === 'ModelService' &&
      field(event, 'regarding', 'name') === name &&
      event.reason === reason,
  ).length;
}

describe('Why a ModelService is not ready', function () {
  this.timeout(180_000);
  const namespaces = Object.fromEntries(
    PLACES.map((place) => [place, useNamespace(`causes-${place.toLowerCase()}`)]),
  ) as Readonly<Record<Place, () => string>>;
  const refOf = ({ name, place = 'plain' }: Cause): Ref => ({ namespace: namespaces[place](), name });
  useNodes('causes');
  const ending = useNamespace('causes-ending');
  const operator = useOperator(() => ({ namespaces: [...PLACES.map((place) => namespaces[place]()), ending()] }));
  /** What others own, by its name, as they made it. */
  const obstacles = new Map<string, unknown>();

  async function enforceAll(): Promise<void> {
    await enforce('podQuota', quota({ pods: 0 }), 'pods');
    await enforce('computeQuota', quota({ 'limits.cpu': 8, 'limits.memory': '8Gi' }), 'limits.cpu');
    await enforce('objectQuota', quota({ 'count/services': 0 }), 'count/services');
    const max = { type: 'Container', max: { cpu: 1 } };
    await enforce('limits', {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'team' },
      spec: { limits: [max] },
    });
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await testApi().mergePatch(RESOURCES.namespaces, { name: namespaces.secure() }, { metadata: { labels } });
  }

  /** A quota takes hold once its controller has counted `counted`. */
  async function enforce(place: Place, object: object, counted?: string): Promise<void> {
    const namespace = namespaces[place]();
    await kubectl(['create', '--namespace', namespace, '-f', '-'], { input: JSON.stringify(object) });
    if (counted === undefined) return;
    const path = `{.status.used.${counted.replaceAll('.', '\\.')}}`;
    await kubectl(['wait', '--namespace', namespace, 'resourcequota/team', `--for=jsonpath=${path}`, '--timeout=60s']);
  }

  before('make all of them fail', async () => {
    await enforceAll();
    await inGroups(CAUSES, 10, async (cause) => {
      const ref = refOf(cause);
      await cause.prepare?.(ref);
      const pod = {
        tolerations: [{ key: NODES_TAINT, operator: 'Exists' }],
        ...(cause.spec?.pod as object | undefined),
      };
      const { spec } = modelService(cause.name, { ...cause.spec, pod });
      await testApi().create(RESOURCES.modelServices, { metadata: ref, spec });
    });
    for (const [name, kind] of Object.entries(OBSTACLES)) {
      obstacles.set(name, theirsOf(await testApi().get(RESOURCES[kind], { namespace: namespaces.plain(), name })));
    }
    await inGroups(CAUSES, 10, async (cause) => {
      if (cause.provoke === undefined) return;
      const [pod] = await eventually(() => testApi().list(RESOURCES.pods, selected(refOf(cause))), {
        because: `${cause.name} has its pod`,
        until: (pods) => pods.length > 0,
      });
      assert.ok(pod);
      await cause.provoke(refOf(cause), pod);
    });
  });

  for (const cause of CAUSES) {
    const { condition = 'Ready', status = 'False', reason, message } = cause.expected;
    it(`is told where ${cause.failure}: ${reason}`, async () => {
      const object = await awaitCondition(refOf(cause), condition, status, reason, 90_000);
      const told = (conditionOf(object, condition)?.message ?? '')
        .replaceAll(object.metadata.namespace ?? '', 'NAMESPACE')
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME');
      const [begin = '', end] = message.split('…');
      assert.equal(end === undefined ? told : told.slice(0, begin.length), begin);
      assert.ok(end === undefined || told.length > begin.length, 'and something follows');
    });
  }

  it('shows the first cause in the column that a person sees', async () => {
    const seen = new Map<string, string>();
    await eventually(
      async () => {
        for (const place of PLACES) {
          const rows = await kubectl(['get', 'msvc', '--namespace', namespaces[place](), '--no-headers']);
          for (const row of rows.trim().split('\n')) {
            const [name = '', ready, , , reason] = row.split(/ +/);
            seen.set(name, `${ready} ${reason}`);
          }
        }
        return CAUSES.filter(({ name, expected }) => seen.get(name) !== columnsOf(expected)).map(
          ({ name, expected }) => `${name}: ${seen.get(name)}, not ${columnsOf(expected)}`,
        );
      },
      { because: 'all columns are right', until: (wrong) => wrong.length === 0 },
    );
  });

  it('is told as one Event for each cause', async () => {
    const causes = CAUSES.filter(({ expected, place = 'plain' }) => place === 'plain' && isFirstCause(expected));
    const events = await eventually(() => testApi().list(RESOURCES.events, { namespace: namespaces.plain() }), {
      because: 'each cause has its Event',
      until: (found) => causes.every(({ name, expected }) => countOf(found, name, expected.reason) === 1),
      deadlineMs: 60_000,
    });
    const digest = events.find(({ reason }) => reason === 'DigestMismatch');
    assert.deepEqual([digest?.type, digest?.note, digest?.action], ['Warning', DIGEST_MESSAGE, 'Serve']);
  });

  it('stands in docs/troubleshooting.md, word for word', async () => {
    const table = tableOf(CAUSES);
    if (process.env.MODELSERVICE_TEST_UPDATE_DOCS === '1') await updatePage(table);
    assert.equal(await tableOnPage(), table);
  });

  it('is over once what was in the way is gone, and nothing of it was touched', async () => {
    const namespace = namespaces.plain();
    for (const [name, kind] of Object.entries(OBSTACLES)) {
      const found = await testApi().get(RESOURCES[kind], { namespace, name });
      assert.deepEqual(theirsOf(found), obstacles.get(name), `${kind} ${name}`);
      await testApi().delete(RESOURCES[kind], { namespace, name });
    }
    for (const [name, kind] of Object.entries(OBSTACLES)) {
      const { metadata } = await awaitCondition({ namespace, name }, 'Stalled', 'False', 'NotStalled', 120_000);
      const own = await testApi().get(RESOURCES[kind], { namespace, name });
      assert.equal(own.metadata.ownerReferences?.[0]?.uid, metadata.uid);
    }
  });

  it('is no error in a namespace that is being deleted: nothing is made there, and it goes', async () => {
    const namespace = ending();
    const names = ['one', 'two', 'three'];
    for (const name of names) {
      await testApi().create(RESOURCES.modelServices, { metadata: { namespace, name }, spec: modelService(name).spec });
    }
    await eventually(() => testApi().list(RESOURCES.deployments, { namespace }), {
      because: 'each has its Deployment',
      until: ({ length }) => length === names.length,
    });
    // It keeps the namespace for a while, as somebody's volume may.
    const held = { namespace, name: 'held' };
    await testApi().create(RESOURCES.configMaps, { metadata: { ...held, finalizers: ['example.com/hold'] } });
    await testApi().delete(RESOURCES.namespaces, { name: namespace });
    await eventually(() => testApi().list(RESOURCES.modelServices, { namespace }), {
      because: 'the ModelServices are gone',
      until: ({ length }) => length === 0,
    });
    await eventually(() => testApi().list(RESOURCES.deployments, { namespace }), {
      because: 'so are their Deployments, and none comes back',
      until: ({ length }) => length === 0,
    });
    await testApi().mergePatch(RESOURCES.configMaps, held, { metadata: { finalizers: null } });
    await eventually(() => testApi().find(RESOURCES.namespaces, { name: namespace }), {
      because: 'the namespace is gone',
      until: (found) => found === undefined,
      deadlineMs: 90_000,
    });
    const lines = (await operator().logs()).split('\n').filter((line) => line.includes(`"namespace":"${namespace}"`));
    assert.ok(lines.length > 0, 'what it did there was logged');
    assert.deepEqual(
      lines.filter((line) => line.includes('"level":50')),
      [],
      'no error',
    );
    // Its own rights there may go first, which it says once.
    const warnings = lines.filter((line) => line.includes('"level":40'));
    assert.ok(warnings.length <= MOST_WARNINGS, warnings.join('\n'));
  });

  function selected({ namespace, name }: Ref) {
    return { namespace, labelSelector: `modelservice.dev/name=${name}` };
  }
});
