import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeObject } from '../../operator/src/kube/types.ts';
import { systemClock } from '../../operator/src/runtime/clock.ts';
import { keyOf } from '../../operator/src/runtime/object-key.ts';
import { Reflector } from '../../operator/src/runtime/reflector.ts';
import { type Change, Store } from '../../operator/src/runtime/store.ts';
import { eventually } from './support/eventually.ts';
import { useKubeClient } from './support/kube-client.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';

const us = { fieldManager: 'modelservice' };

describe('Reflector against a real API server', () => {
  const namespace = useNamespace('reflector');
  const client = useKubeClient();
  const { signal } = new AbortController();
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  async function put(name: string, value: string): Promise<KubeObject> {
    const metadata = { name, namespace: namespace(), labels: { x: 'y' } };
    return await client().apply(
      RESOURCES.configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } },
      us,
      signal,
    );
  }

  it('holds what the server holds: the list in pages, then every change, and a new object of an old name', async () => {
    for (let index = 0; index < 7; index++) await put(`old-${index}`, 'x');
    const store = new Store<KubeObject & { data?: { value: string } }>();
    const changes: Change<KubeObject>[] = [];
    const reflector = new Reflector({
      api: client(),
      type: RESOURCES.configMaps,
      namespace: namespace(),
      labelSelector: 'x=y',
      store,
      onChange: (change) => changes.push(change),
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'silent' }),
      pageSize: 3,
    });
    running = reflector.run(stop.signal);
    await reflector.synced;
    assert.equal(store.size, 7);

    await put('old-0', 'changed');
    await put('new', 'x');
    await client().delete(RESOURCES.configMaps, { namespace: namespace(), name: 'old-1' }, {}, signal);
    const replaced = await put('old-1', 'again');
    await eventually(() => store.get(keyOf(replaced))?.metadata.uid, {
      because: 'the store has the new object of the old name',
      until: (uid) => uid === replaced.metadata.uid,
    });
    const listed = await client().list(RESOURCES.configMaps, { namespace: namespace(), labelSelector: 'x=y' }, signal);
    assert.deepEqual(store.list().map(versionOf).toSorted(), listed.items.map(versionOf).toSorted());
    assert.equal(store.get(`${namespace()}/old-0`)?.data?.value, 'changed');
    assert.equal(changes.length, 7 + 1 + 1 + 2);
  });
});

function versionOf({ metadata }: KubeObject): string {
  return `${metadata.name} ${metadata.resourceVersion}`;
}
