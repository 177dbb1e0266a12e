import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeList, ListOptions } from '../kube/api.ts';
import { POD, SERVICE } from '../kube/resources.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { serveHttp } from './http-endpoint.ts';
import { type Election, Manager } from './manager.ts';
import { OperatorMetrics } from './metrics.ts';
import { apiError, ScriptedKubeApi, scriptedObject } from './scripted-kube-api.ts';

const log = pino({ level: 'silent' });

/** Two ports that were free a moment ago. */
async function freePorts(): Promise<readonly [number, number]> {
  const nothing = async (): Promise<undefined> => undefined;
  const [a, b] = await Promise.all([serveHttp({ port: 0 }, nothing), serveHttp({ port: 0 }, nothing)]);
  await Promise.all([a.close(), b.close()]);
  return [a.port, b.port];
}

async function get(port: number, path: string): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

function timeAt(ms: number): string {
  return new Date(ms).toISOString();
}

/** Has a reconcile that goes on until it is aborted. @returns when it has begun */
function reconcileUntilAborted(manager: Manager): Promise<void> {
  const begun = Promise.withResolvers<void>();
  const controller = manager.controller('test', async (_key, { signal }) => {
    begun.resolve();
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return {};
  });
  controller.enqueue('default/a');
  return begun.promise;
}

describe('Manager', () => {
  it('is healthy at once, ready and working only when its stores are complete, and stops in order', async () => {
    const api = new ScriptedKubeApi();
    api.lists.push(new Error('not yet'));
    const clock = new FakeClock();
    const [healthPort, metricsPort] = await freePorts();
    const manager = new Manager({
      api,
      log,
      metrics: new OperatorMetrics(),
      namespaces: [],
      health: { port: healthPort },
      metricsAt: { port: metricsPort },
      clock,
      random: () => 0,
    });
    const informer = manager.informer(POD);
    const seen: (readonly string[])[] = [];
    const release = Promise.withResolvers<void>();
    const controller = manager.controller('test', async () => {
      seen.push(informer.store.list().map(({ metadata }) => metadata.name));
      await release.promise;
      return {};
    });
    informer.onChange(({ key }) => controller.enqueue(key));
    controller.enqueue('default/early');
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    let listening = false;
    for (let turn = 0; !listening; turn++) {
      listening = await get(metricsPort, '/metrics').then(
        () => true,
        () => turn > 1000,
      );
    }
    assert.deepEqual(await get(healthPort, '/healthz'), [200, 'ok\n']);
    assert.deepEqual(await get(healthPort, '/readyz'), [503, 'informer Pod: Error: not yet\n']);
    assert.deepEqual(seen, [], 'a worker began before the store was complete');

    api.lists.push({ resourceVersion: '7', items: [scriptedObject('a', '1'), scriptedObject('b', '2')] });
    api.lists.shift();
    await clock.advance(800);
    assert.deepEqual(await get(healthPort, '/readyz'), [200, 'ok\n']);
    assert.deepEqual(seen[0], ['a', 'b']);
    const [, exposition] = await get(metricsPort, '/metrics');
    assert.match(exposition, /^controller_runtime_active_workers\{controller="test"\} 3$/m);

    stop.abort();
    await settle();
    assert.deepEqual(await get(healthPort, '/healthz'), [200, 'ok\n'], 'probes are answered until the work is done');
    release.resolve();
    await running;
    await assert.rejects(get(healthPort, '/healthz'));
    assert.equal(clock.pending, 0);
  });

  it('shows what it has in hand at /debug, and nothing of the objects', async () => {
    const api = new ScriptedKubeApi();
    api.lists.push({ resourceVersion: '7', items: [scriptedObject('a', '1'), scriptedObject('b', '2')] });
    const clock = new FakeClock();
    const [healthPort] = await freePorts();
    const manager = new Manager({
      api,
      log,
      metrics: new OperatorMetrics(),
      namespaces: [],
      health: { port: healthPort },
      metricsAt: { port: 0 },
      clock,
    });
    const informer = manager.informer(POD, { labelSelector: 'app=a' });
    const hold = Promise.withResolvers<void>();
    const reconcile = async (key: string) => {
      if (key === 'default/a') throw new Error('secret words');
      await hold.promise;
      return {};
    };
    const controller = manager.controller('test', reconcile, { workers: 2, rateLimit: { baseMs: 60_000 } });
    for (const key of ['default/a', 'default/b', 'default/c', 'default/d']) controller.enqueue(key);
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await informer.usable();
    await settle();
    await clock.advance(2000);
    const [status, text] = await get(healthPort, '/debug');
    assert.equal(status, 200);
    assert.ok(!text.includes('secret words'));
    assert.deepEqual(JSON.parse(text), {
      upSeconds: 2,
      isWorking: true,
      stores: [
        {
          kind: 'Pod',
          selectors: ['app=a'],
          objects: 2,
          hasSynced: true,
          watches: [{ listedAt: timeAt(clock.now() - 2000), heardAt: timeAt(clock.now() - 2000) }],
        },
      ],
      controllers: [
        {
          name: 'test',
          workers: 2,
          queue: {
            waiting: { count: 1, first: ['default/d'] },
            working: {
              count: 2,
              first: [
                { key: 'default/b', forMs: 2000 },
                { key: 'default/c', forMs: 2000 },
              ],
            },
            delayed: { count: 1, first: [{ key: 'default/a', inMs: 58_000 }] },
            failing: { count: 1, first: [{ key: 'default/a', failures: 1 }] },
          },
        },
      ],
    });
    hold.resolve();
    stop.abort();
    await running;
  });

  it('aborts the reconciles that outlast the drain timeout', async () => {
    const clock = new FakeClock();
    const manager = new Manager({
      api: new ScriptedKubeApi(),
      log,
      metrics: new OperatorMetrics(),
      namespaces: [],
      health: { port: 0 },
      metricsAt: { port: 0 },
      clock,
      drainTimeoutMs: 5000,
    });
    const begun = reconcileUntilAborted(manager);
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await begun;
    stop.abort();
    await clock.advance(5000);
    await running;
  });

  describe('with a leader election', () => {
    /** Told by the test when it leads, and when no longer. */
    function scriptedElection() {
      const steps: string[] = [];
      const lead = Promise.withResolvers<boolean>();
      const lose = Promise.withResolvers<void>();
      const election: Election = {
        problem: undefined,
        state: () => ({ lease: 'default/test', identity: 'me', leads: steps.includes('holds') }),
        acquire: (signal) => {
          steps.push('waits');
          signal.addEventListener('abort', () => lead.resolve(false));
          return lead.promise;
        },
        hold: (signal) => {
          steps.push('holds');
          signal.addEventListener('abort', () => lose.resolve());
          return lose.promise;
        },
        release: async () => {
          steps.push('released');
        },
      };
      return { election, steps, lead, lose };
    }

    function managed(election: Election) {
      const api = new ScriptedKubeApi();
      api.lists.push({ resourceVersion: '7', items: [scriptedObject('a', '1')] });
      const endpoints = { health: { port: 0 }, metricsAt: { port: 0 } };
      const manager = new Manager({ api, log, metrics: new OperatorMetrics(), namespaces: [], election, ...endpoints });
      return { manager, informer: manager.informer(POD) };
    }

    it('has its stores current before it leads, works as the leader, and gives the lease back when all is done', async () => {
      const { election, steps, lead } = scriptedElection();
      const { manager, informer } = managed(election);
      const done = Promise.withResolvers<void>();
      const controller = manager.controller('test', async (key) => {
        steps.push(`begins ${key}`);
        await done.promise;
        steps.push(`ends ${key}`);
        return {};
      });
      controller.enqueue('default/a');
      const stop = new AbortController();
      const running = manager.run(stop.signal);
      await informer.usable();
      await settle();
      assert.deepEqual(steps, ['waits']);
      lead.resolve(true);
      await settle();
      stop.abort();
      await settle();
      assert.deepEqual(steps, ['waits', 'holds', 'begins default/a']);
      done.resolve();
      await running;
      assert.deepEqual(steps.slice(3), ['ends default/a', 'released']);
    });

    it('aborts what is under way when it lost the lease, and fails', async () => {
      const { election, lead, lose } = scriptedElection();
      const { manager } = managed(election);
      const begun = reconcileUntilAborted(manager);
      const running = manager.run(new AbortController().signal);
      lead.resolve(true);
      await begun;
      lose.reject(new Error('lost'));
      await assert.rejects(running, /^Error: lost$/);
    });

    it('stops as a standby', async () => {
      const { election, steps } = scriptedElection();
      const { manager, informer } = managed(election);
      const stop = new AbortController();
      const running = manager.run(stop.signal);
      await informer.usable();
      await settle();
      stop.abort();
      await running;
      assert.deepEqual(steps, ['waits', 'released']);
    });
  });

  it('fails when an address is taken, and frees the other one', async () => {
    const taken = await serveHttp({ port: 0 }, async () => undefined);
    const [healthPort] = await freePorts();
    const manager = new Manager({
      api: new ScriptedKubeApi(),
      log,
      metrics: new OperatorMetrics(),
      namespaces: [],
      health: { port: healthPort },
      metricsAt: { port: taken.port },
    });
    await assert.rejects(manager.run(new AbortController().signal), /EADDRINUSE/);
    await assert.rejects(get(healthPort, '/healthz'));
    await taken.close();
  });

  it('watches each of the namespaces that it was given, and keeps the others out of a new list', async () => {
    const api = new ScriptedKubeApi();
    api.lists.push({ resourceVersion: '7', items: [] });
    const manager = new Manager({
      api,
      log,
      metrics: new OperatorMetrics(),
      namespaces: ['blue', 'green'],
      health: { port: 0 },
      metricsAt: { port: 0 },
    });
    const informer = manager.informer(POD);
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await informer.usable();
    await settle();
    stop.abort();
    await running;
    assert.deepEqual(
      api.watches.map(({ options }) => options.namespace),
      ['blue', 'green'],
    );
  });

  it('looks after the namespaces that it may read, and after another one as soon as it may', async () => {
    const api = new ScriptedKubeApi();
    const clock = new FakeClock();
    let mayRead = false;
    api.list = async <T extends KubeObject>({ kind }: ResourceType, { namespace = '' }: ListOptions) => {
      if (namespace === 'green' && kind === 'Service' && !mayRead) throw apiError(403, 'Forbidden');
      const { metadata, ...rest } = scriptedObject('a', '1');
      const list: KubeList<KubeObject> = {
        resourceVersion: '7',
        items: [{ ...rest, metadata: { ...metadata, namespace } }],
      };
      return list as KubeList<T>;
    };
    const [healthPort] = await freePorts();
    const manager = new Manager({
      api,
      log,
      metrics: new OperatorMetrics(),
      namespaces: ['blue', 'green'],
      health: { port: healthPort },
      metricsAt: { port: 0 },
      clock,
      random: () => 0,
    });
    manager.informer(SERVICE);
    const seen: string[] = [];
    const controller = manager.controller('test', async (key) => {
      seen.push(key);
      return {};
    });
    const pods = manager.informer(POD);
    pods.onChange(({ key }) => controller.enqueue(key));
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await pods.usable();
    await clock.advance(5000);
    assert.deepEqual(seen, ['blue/a'], 'of green not everything is known');
    assert.deepEqual(await get(healthPort, '/readyz'), [200, 'ok\n']);
    mayRead = true;
    await clock.advance(20_000);
    assert.deepEqual(seen, ['blue/a', 'green/a']);
    stop.abort();
    await running;
  });

  it('says what it may not read, and is not ready, where there is nothing else to look after', async () => {
    const api = new ScriptedKubeApi();
    api.lists.push(apiError(403, 'pods is forbidden'));
    const clock = new FakeClock();
    const [healthPort] = await freePorts();
    const manager = new Manager({
      api,
      log,
      metrics: new OperatorMetrics(),
      namespaces: ['blue'],
      health: { port: healthPort },
      metricsAt: { port: 0 },
      clock,
      random: () => 0,
    });
    manager.informer(POD);
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await settle();
    for (let turn = 0; api.listCalls.length < 2 && turn < 100; turn++) await clock.advance(800);
    assert.deepEqual(await get(healthPort, '/readyz'), [503, 'informer Pod: pods is forbidden\n']);
    stop.abort();
    await running;
  });
});
