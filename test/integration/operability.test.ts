import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { documentedMetrics, exposedMetrics } from '../support/exposed-metrics.ts';
import { awaitCondition } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

/** In the manifest, and nobody's business beside its owner's. */
const PRIVATE = 'hush-hush';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('What the operator tells of itself', function () {
  this.timeout(120_000);
  const namespace = useNamespace('operability');
  const operator = useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });
  const metrics = async () => await (await fetch(`${operator().metricsUrl}/metrics`)).text();
  const conditionsOf = async (name: string) =>
    (await metrics())
      .split('\n')
      .filter((line) => line.startsWith(`modelservice_condition{namespace="${namespace()}",name="${name}",`))
      .map((line) => line.replace(/^.*name="[^"]*",(.*)\}/, '$1'));

  before('have one ModelService that is ready and one that is not', async () => {
    const env = [{ name: 'TOKEN', value: PRIVATE }];
    await applyManifest(namespace(), modelService('ready', { server: { env } }));
    await applyManifest(namespace(), modelService('waiting'));
    const [pod] = await awaitPods(namespace(), 'ready', 1);
    assert.ok(pod);
    await reportReady(pod);
    await awaitCondition(named('ready'), 'Ready', 'True', 'Serving');
  });

  it('is what docs/operations.md lists: those metrics, and no other', async () => {
    const documented = await documentedMetrics();
    const text = await eventually(metrics, {
      because: 'the operator has heard of the conditions, and so shows their labels',
      until: (now) => now.includes('\nmodelservice_condition{'),
    });
    assert.deepEqual(
      exposedMetrics(text),
      documented.filter((line) => !/^modelservice_(gateway|metrics_api)_/.test(line)),
    );
  });

  it('has the present conditions of each ModelService, until it is deleted', async () => {
    const ready = await eventually(() => conditionsOf('ready'), {
      because: 'the operator has heard of its own status',
      until: (lines) => lines.includes('type="Ready",status="True",reason="Serving" 1'),
    });
    const types = ready.map((line) => /^type="(\w+)"/.exec(line)?.[1]);
    assert.equal(new Set(types).size, ready.length, 'one series for each condition');
    const waiting = await eventually(() => conditionsOf('waiting'), {
      because: 'the other one has conditions of its own',
      until: (lines) => lines.some((line) => line.startsWith('type="Ready"')),
    });
    assert.ok(!waiting.some((line) => line.startsWith('type="Ready",status="True"')));

    await testApi().delete(RESOURCES.modelServices, named('ready'));
    await eventually(() => conditionsOf('ready'), {
      because: 'the series end with the ModelService',
      until: (lines) => lines.length === 0,
    });
    assert.notEqual((await conditionsOf('waiting')).length, 0);
  });

  it('names controller, namespace, name and reconcile in each line that a reconcile writes', async () => {
    const lines = (await operator().logs())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const applied = lines.filter(({ msg }) => msg === 'Applied a child' || msg === 'Set the number of pods');
    for (const name of ['ready', 'waiting']) assert.ok(applied.some((line) => line.name === name));
    for (const line of applied) assert.match(line.reconcileID ?? '', UUID);
    const subjects = new Map<string, string>();
    for (const { reconcileID, controller, namespace: of, name } of lines) {
      if (reconcileID === undefined) continue;
      const subject = `${controller} ${of}/${name}`;
      assert.match(subject, new RegExp(`^modelservice ${namespace()}/(ready|waiting)$`));
      assert.equal(subjects.get(reconcileID) ?? subject, subject, 'a reconcile is about one ModelService');
      subjects.set(reconcileID, subject);
    }
  });

  it('is in hand at /debug, without a word of the objects', async () => {
    let text = '';
    const debug = async () => {
      text = await (await fetch(`${operator().healthUrl}/debug`)).text();
      return JSON.parse(text) as Debug;
    };
    const { stores } = await eventually(debug, {
      because: 'the operator works, knows the one ModelService that is left, and is done with it',
      until: ({ isWorking, controllers, stores: known }) => {
        const queue = controllers.find(({ name }) => name === 'modelservice')?.queue;
        const services = known.find(({ kind }) => kind === 'ModelService');
        return isWorking && queue?.failing.count === 0 && queue.waiting.count === 0 && services?.objects === 1;
      },
    });
    for (const { kind, hasSynced, watches } of stores) {
      assert.ok(hasSynced && watches.every(({ namespace: of }) => of === undefined || of === namespace()), kind);
    }
    for (const word of [PRIVATE, 'TOKEN', 'modelservice-server:']) assert.ok(!text.includes(word), word);
  });
});

interface LogLine {
  readonly msg: string;
  readonly controller?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly reconcileID?: string;
}

interface Debug {
  readonly isWorking: boolean;
  readonly controllers: readonly {
    readonly name: string;
    readonly queue: Readonly<Record<'waiting' | 'failing', { readonly count: number }>>;
  }[];
  readonly stores: readonly {
    readonly kind: string;
    readonly objects: number;
    readonly hasSynced: boolean;
    readonly watches: readonly { readonly namespace?: string }[];
  }[];
}
