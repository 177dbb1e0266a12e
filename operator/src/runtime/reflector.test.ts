import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import { TransportError } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { type OptionalType, Reflector } from './reflector.ts';
import { apiError, scriptedObject as object, ScriptedKubeApi } from './scripted-kube-api.ts';
import { type Change, Store } from './store.ts';

const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

describe('Reflector', () => {
  let api: ScriptedKubeApi;
  let clock: FakeClock;
  let store: Store<KubeObject>;
  let changes: Change<KubeObject>[];
  let stop: AbortController;
  let reflector: Reflector<KubeObject>;
  let running: Promise<void>;

  beforeEach(() => {
    api = new ScriptedKubeApi();
    clock = new FakeClock();
    store = new Store();
    changes = [];
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort(new Error('the test is over'));
    await running;
    assert.equal(clock.pending, 0, 'a timer was left behind');
  });

  async function start(
    onChange: (change: Change<KubeObject>) => void = (change) => changes.push(change),
    optional?: OptionalType,
  ): Promise<void> {
    const log = pino({ level: 'silent' });
    reflector = new Reflector({
      api,
      type: configMaps,
      store,
      onChange,
      clock,
      random: () => 0,
      log,
      pageSize: 2,
      optional,
    });
    running = reflector.run(stop.signal);
    await settle();
  }

  function stored(): Record<string, string> {
    return Object.fromEntries(store.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  }

  /** `+a` came, `-a` went, `a` changed. */
  function told(): readonly string[] {
    const names = changes.map(({ key, before, after }) => {
      const sign = before === undefined ? '+' : after === undefined ? '-' : '';
      return `${sign}${key.replace('default/', '')}`;
    });
    changes.length = 0;
    return names;
  }

  it('stores a list of several pages in one step', async () => {
    const release = Promise.withResolvers<void>();
    api.lists.push({ resourceVersion: '7', continue: 'more', items: [object('a', '1'), object('b', '2')] });
    api.lists.push({ resourceVersion: '7', items: [object('c', '3')] });
    const list = api.list.bind(api);
    api.list = async (type, options) => {
      if (options.continue !== undefined) await release.promise;
      return await list(type, options);
    };
    await start();
    assert.deepEqual([stored(), reflector.hasSynced], [{}, false], 'half a list was shown');
    release.resolve();
    await reflector.synced;
    assert.deepEqual(stored(), { a: '1', b: '2', c: '3' });
    await settle();
    assert.deepEqual(told(), ['+a', '+b', '+c']);
    assert.equal(api.watching.options.resourceVersion, '7');
  });

  it('lists in one piece when the pages outlive the history', async () => {
    api.lists.push({ resourceVersion: '7', continue: 'more', items: [object('a', '1'), object('b', '2')] });
    api.lists.push(apiError(410, 'Expired'));
    api.lists.push({ resourceVersion: '9', items: [object('c', '3')] });
    await start();
    assert.deepEqual(stored(), { c: '3' });
    assert.deepEqual(
      api.listCalls.map(({ limit, continue: token }) => [limit, token]),
      [
        [2, undefined],
        [2, 'more'],
        [undefined, undefined],
      ],
    );
  });

  it('follows the events, and tells a new object of an old name as two changes', async () => {
    api.lists.push({ resourceVersion: '7', items: [object('a', '1'), object('b', '2')] });
    await start();
    told();
    api.watching.send(
      { type: 'MODIFIED', object: object('a', '8') },
      { type: 'ADDED', object: object('c', '9') },
      { type: 'DELETED', object: object('b', '10') },
      { type: 'ADDED', object: object('a', '11', 'another') },
    );
    await settle();
    assert.deepEqual(stored(), { c: '9', a: '11' });
    assert.deepEqual(told(), ['a', '+c', '-b', '-a', '+a']);
  });

  it('asks for an end between 5 and 10 minutes and goes on at once from the last bookmark', async () => {
    api.lists.push({ resourceVersion: '7', items: [] });
    await start();
    assert.equal(api.watching.options.timeoutSeconds, 300);
    api.watching.send({ type: 'BOOKMARK', resourceVersion: '40' });
    await settle();
    api.watching.end();
    await settle();
    assert.deepEqual(
      api.watches.map(({ options }) => options.resourceVersion),
      ['7', '40'],
    );
    assert.equal(api.listCalls.length, 1);
  });

  it('lists again after 410 and tells everything that was missed, deletions included', async () => {
    api.lists.push({ resourceVersion: '7', items: [object('a', '1'), object('b', '2'), object('c', '3')] });
    await start();
    told();
    api.lists[0] = { resourceVersion: '50', items: [object('a', '1'), object('c', '45'), object('d', '46')] };
    api.watching.end(apiError(410, 'Expired'));
    await settle();
    assert.deepEqual(stored(), { a: '1', b: '2', c: '3' }, 'the store was emptied before there was a new list');
    await clock.advance(800);
    assert.deepEqual(stored(), { a: '1', c: '45', d: '46' });
    assert.deepEqual(told(), ['-b', 'c', '+d']);
    assert.equal(api.watching.options.resourceVersion, '50');
    assert.ok(reflector.hasSynced);
  });

  const watchFailures = [
    { title: '429', error: apiError(429, 'TooManyRequests', 5000), afterMs: 5000, because: 'Retry-After says so' },
    { title: '500', error: apiError(500, 'InternalError'), afterMs: 800, because: 'the backoff begins at 800 ms' },
    { title: '403', error: apiError(403, 'Forbidden'), afterMs: 800, because: 'a role may be bound later' },
    {
      title: 'a refused connection',
      error: new TransportError('watch', new Error('ECONNREFUSED')),
      afterMs: 800,
      because: 'the API server may be restarting',
    },
  ];
  for (const { title, error, afterMs, because } of watchFailures) {
    it(`watches again from the same place after ${title}: ${because}`, async () => {
      api.lists.push({ resourceVersion: '7', items: [] });
      api.watchErrors.push(error);
      await start();
      await clock.advance(afterMs - 1);
      assert.equal(api.watches.length, 1);
      await clock.advance(1);
      assert.equal(api.watches.length, 2);
      assert.equal(api.watching.options.resourceVersion, '7');
      api.watching.send({ type: 'ADDED', object: object('a', '8') });
      await settle();
      assert.deepEqual(told(), ['+a']);
      assert.equal(api.listCalls.length, 1);
    });
  }

  describe('of a type that may not be served', () => {
    const startOptional = (optional: Partial<OptionalType> = {}): Promise<void> =>
      start((change) => changes.push(change), { isServed: () => true, mayBeForbidden: false, ...optional });

    it('has synced with none, and lists when it is told that it may be served', async () => {
      api.lists.push({ resourceVersion: '7', items: [object('a', '1')] });
      let served = false;
      await startOptional({ isServed: () => served });
      assert.ok(reflector.hasSynced);
      await clock.advance(900_000);
      assert.equal(api.listCalls.length, 0, 'what is not served was asked for');
      served = true;
      reflector.lookAgain();
      await settle();
      assert.deepEqual(told(), ['+a']);
    });

    it('lists again soon where it is said to be served and is not yet', async () => {
      api.lists.push(apiError(404, 'NotFound'), { resourceVersion: '7', items: [] });
      await startOptional();
      await clock.advance(1999);
      assert.equal(api.listCalls.length, 1);
      await clock.advance(1);
      assert.equal(api.listCalls.length, 2);
    });

    it('tells that all are gone when it is no longer served', async () => {
      api.lists.push({ resourceVersion: '7', items: [object('a', '1')] });
      await startOptional();
      told();
      api.watchErrors.push(apiError(404, 'NotFound'));
      api.watching.end();
      await clock.advance(1000);
      assert.deepEqual([told(), stored()], [['-a'], {}]);
    });

    for (const { mayBeForbidden, synced } of [
      { mayBeForbidden: true, synced: true },
      { mayBeForbidden: false, synced: false },
    ]) {
      it(`${synced ? 'does without what it has no right to' : 'takes a missing right for an error'}`, async () => {
        api.lists.push(apiError(403, 'Forbidden'));
        await startOptional({ mayBeForbidden });
        assert.equal(reflector.hasSynced, synced);
      });
    }
  });

  it('goes on at once when a watch that worked is cut', async () => {
    api.lists.push({ resourceVersion: '7', items: [] });
    await start();
    api.watching.send({ type: 'ADDED', object: object('a', '8') });
    await settle();
    api.watching.end(new TransportError('watch', new Error('other side closed')));
    await settle();
    assert.equal(api.watches.length, 2);
    assert.equal(api.watching.options.resourceVersion, '8');
  });

  it('cuts a watch that fell silent and goes on from the last event', async () => {
    api.lists.push({ resourceVersion: '7', items: [] });
    await start();
    await clock.advance(60_000);
    api.watching.send({ type: 'BOOKMARK', resourceVersion: '30' });
    await clock.advance(89_999);
    assert.equal(api.watches.length, 1, 'a bookmark a minute is not silence');
    await clock.advance(1);
    assert.deepEqual(
      api.watches.map(({ options }) => options.resourceVersion),
      ['7', '30'],
    );
  });

  it('backs off while watches end at once, then lists again in case the resourceVersion is at fault', async () => {
    api.lists.push({ resourceVersion: '7', items: [] });
    for (let count = 0; count < 5; count++) api.watchErrors.push(apiError(500, ''));
    await start();
    await clock.advance(800 + 1600 + 3200 + 6400);
    assert.deepEqual([api.watches.length, api.listCalls.length], [5, 1]);
    await clock.advance(12_800);
    assert.deepEqual([api.watches.length, api.listCalls.length], [6, 2]);
  });

  it('keeps trying to list, with growing delays, and syncs when it may', async () => {
    api.lists.push(apiError(403, 'Forbidden'), new TransportError('list', new Error('ECONNREFUSED')));
    api.lists.push({ resourceVersion: '7', items: [object('a', '1')] });
    await start();
    await clock.advance(800 + 1599);
    assert.equal(reflector.hasSynced, false);
    await clock.advance(1);
    assert.deepEqual(stored(), { a: '1' });
  });

  it('waits for a type that is not served and says so, and looks again every few seconds for as long as it takes', async () => {
    api.lists.push(apiError(404, 'NotFound'));
    await start();
    await clock.advance(60_000);
    assert.equal(
      reflector.obstacle,
      'the API server does not serve configmaps of v1: is the CustomResourceDefinition installed?',
    );
    const before = api.listCalls.length;
    await clock.advance(60_000);
    assert.equal(api.listCalls.length - before, 6);
    api.lists.splice(0, 1, { resourceVersion: '7', items: [object('a', '1')] });
    await clock.advance(10_000);
    assert.deepEqual([stored(), reflector.obstacle], [{ a: '1' }, undefined]);
  });

  it('goes on when a handler throws', async () => {
    api.lists.push({ resourceVersion: '7', items: [object('a', '1')] });
    await start(() => {
      throw new Error('a defect');
    });
    api.watching.send({ type: 'MODIFIED', object: object('a', '8') });
    await settle();
    assert.deepEqual(stored(), { a: '8' });
  });

  describe('told of a write of ours', () => {
    beforeEach(async () => {
      api.lists.push({ resourceVersion: '10', items: [object('a', '9')] });
      await start();
      told();
    });

    it('has it at once, and tells of it once', async () => {
      reflector.written(object('a', '20'));
      assert.deepEqual([stored(), told()], [{ a: '20' }, ['a']]);
      api.watching.send({ type: 'MODIFIED', object: object('a', '20') });
      await settle();
      assert.deepEqual([stored(), told()], [{ a: '20' }, []]);
    });

    it('lets no older event overwrite it, and every later one', async () => {
      reflector.written(object('a', '20'));
      told();
      api.watching.send({ type: 'MODIFIED', object: object('a', '15') });
      await settle();
      assert.deepEqual([stored(), told()], [{ a: '20' }, []]);
      api.watching.send({ type: 'MODIFIED', object: object('a', '21') });
      await settle();
      assert.deepEqual([stored(), told()], [{ a: '21' }, ['a']]);
      api.watching.send({ type: 'DELETED', object: object('a', '22') });
      await settle();
      assert.deepEqual([stored(), told()], [{}, ['-a']]);
    });

    it('takes the end of the object of that name from before for no end of this one', async () => {
      reflector.written(object('a', '20', 'another'));
      assert.deepEqual(told(), ['-a', '+a']);
      api.watching.send({ type: 'DELETED', object: object('a', '15') });
      await settle();
      assert.deepEqual([stored(), told()], [{ a: '20' }, []]);
    });

    it('leaves out one that the watch is past: the object may be gone by now', async () => {
      api.watching.send({ type: 'ADDED', object: object('b', '20') }, { type: 'DELETED', object: object('b', '21') });
      await settle();
      told();
      reflector.written(object('b', '20'));
      assert.deepEqual([stored(), told()], [{ a: '9' }, []]);
    });

    it('believes a list that does not have it', async () => {
      reflector.written(object('b', '20'));
      api.lists.splice(0, 1, { resourceVersion: '30', items: [object('a', '9')] });
      api.watching.end(apiError(410, 'Expired'));
      await clock.advance(1000);
      assert.deepEqual(stored(), { a: '9' });
      api.watching.send({ type: 'ADDED', object: object('b', '15') });
      await settle();
      assert.deepEqual(stored(), { a: '9', b: '15' });
    });

    it('follows the watch alone where resource versions are no numbers', () => {
      reflector.written(object('a', 'abc'));
      assert.deepEqual([stored(), told()], [{ a: '9' }, []]);
    });
  });

  it('counts failures anew after a watch that lasted', async () => {
    api.lists.push({ resourceVersion: '1', items: [] });
    await start();
    for (let failure = 0; failure < 4; failure++) {
      api.watchErrors.push(apiError(500, 'InternalError'));
      api.watching.end(apiError(500, 'InternalError'));
      await clock.advance(60_000);
    }
    await clock.advance(10_000);
    const before = api.watches.length;
    api.watching.end(apiError(500, 'InternalError'));
    await clock.advance(1000);
    assert.equal(api.watches.length, before + 1, 'it waited for as long as after many failures');
  });
});
