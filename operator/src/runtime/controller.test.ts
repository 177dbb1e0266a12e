import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import { Controller } from './controller.ts';
import { TerminalError } from './errors.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { OperatorMetrics } from './metrics.ts';
import type { Reconcile } from './reconcile.ts';
import { apiError } from './scripted-kube-api.ts';

describe('Controller', () => {
  let clock: FakeClock;
  let metrics: OperatorMetrics;
  let stop: AbortController;
  let abort: AbortController;
  let running: Promise<void>;
  let logged: { level: number; msg: string; name?: string; namespace?: string; reconcileID?: string }[];

  beforeEach(() => {
    clock = new FakeClock();
    metrics = new OperatorMetrics();
    stop = new AbortController();
    abort = new AbortController();
    logged = [];
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  function start(reconcile: Reconcile, workers = 4): Controller {
    const log = pino({ level: 'debug' }, { write: (line) => logged.push(JSON.parse(line)) });
    const controller = new Controller({ name: 'test', reconcile, workers, clock, log, metrics });
    running = controller.run(stop.signal, abort.signal);
    return controller;
  }

  async function count(name: string, result?: string): Promise<number | undefined> {
    const { values } = (await metrics.registry.getSingleMetric(`controller_runtime_${name}`)?.get()) ?? { values: [] };
    return values.find(({ labels }) => result === undefined || labels.result === result)?.value;
  }

  const failures: readonly {
    readonly title: string;
    readonly error: unknown;
    readonly retriedAfterMs: number | undefined;
    readonly result: string;
    readonly errors: number;
    readonly level: 'debug' | 'error';
  }[] = [
    { title: 'an error', error: new Error('x'), retriedAfterMs: 5, result: 'error', errors: 1, level: 'error' },
    {
      title: 'an error that names its delay',
      error: apiError(429, 'TooManyRequests', 3000),
      retriedAfterMs: 3000,
      result: 'error',
      errors: 1,
      level: 'error',
    },
    {
      title: 'a conflict',
      error: apiError(409, 'Conflict'),
      retriedAfterMs: 5,
      result: 'requeue',
      errors: 0,
      level: 'debug',
    },
    {
      title: 'a terminal error',
      error: new TerminalError('x'),
      retriedAfterMs: undefined,
      result: 'error',
      errors: 1,
      level: 'error',
    },
    { title: 'a thrown string', error: 'x', retriedAfterMs: 5, result: 'error', errors: 1, level: 'error' },
    { title: 'undefined', error: undefined, retriedAfterMs: 5, result: 'error', errors: 1, level: 'error' },
  ];
  for (const { title, error, retriedAfterMs, result, errors, level } of failures) {
    it(`${retriedAfterMs === undefined ? 'does not retry' : 'retries'} after ${title}`, async () => {
      const calls: number[] = [];
      const controller = start(async () => {
        calls.push(clock.elapsedMs());
        if (calls.length === 1) throw error;
        return {};
      });
      controller.enqueue('default/a');
      await clock.advance(600_000);
      assert.deepEqual(calls, retriedAfterMs === undefined ? [0] : [0, retriedAfterMs]);
      assert.equal(await count('reconcile_total', result), 1);
      assert.equal(await count('reconcile_errors_total'), errors);
      assert.equal(await count('terminal_reconcile_errors_total'), retriedAfterMs === undefined ? 1 : 0);
      assert.equal(logged[0]?.level, level === 'error' ? 50 : 20);
    });
  }

  it('collects nothing before it begins where it knows all keys then', async () => {
    const seen: string[] = [];
    const reconcile: Reconcile = async (key) => {
      seen.push(key);
      return {};
    };
    const initialKeys = (): readonly string[] => ['default/a', 'default/b'];
    const log = pino({ level: 'silent' });
    const controller = new Controller({ name: 'test', reconcile, workers: 1, initialKeys, clock, log, metrics });
    controller.enqueue('default/gone');
    running = controller.run(stop.signal, abort.signal);
    controller.enqueue('default/c');
    await settle();
    assert.deepEqual(seen, ['default/a', 'default/b', 'default/c']);
  });

  it('looks again after requeueAfterMs, which is no failure', async () => {
    const calls: number[] = [];
    const controller = start(async () => {
      calls.push(clock.elapsedMs());
      return calls.length < 3 ? { requeueAfterMs: 1000 } : {};
    });
    controller.enqueue('default/a');
    await clock.advance(60_000);
    assert.deepEqual(calls, [0, 1000, 2000]);
    assert.deepEqual(
      [await count('reconcile_total', 'requeue_after'), await count('reconcile_total', 'success')],
      [2, 1],
    );
  });

  it('begins anew with short delays after a success', async () => {
    const calls: number[] = [];
    const fails = [true, true, false, true, false];
    const controller = start(async () => {
      calls.push(clock.elapsedMs());
      if (fails[calls.length - 1]) throw new Error('x');
      return {};
    });
    controller.enqueue('default/a');
    await clock.advance(100);
    controller.enqueue('default/a');
    await clock.advance(100);
    assert.deepEqual(calls, [0, 5, 15, 100, 105]);
  });

  it('works on as many keys at a time as it has workers', async () => {
    const release = Promise.withResolvers<void>();
    const begun: string[] = [];
    const controller = start(async (key) => {
      begun.push(key);
      await release.promise;
      return {};
    }, 2);
    for (const key of ['default/a', 'default/b', 'default/c']) controller.enqueue(key);
    await settle();
    assert.deepEqual(begun, ['default/a', 'default/b']);
    assert.equal(await count('active_workers'), 2);
    release.resolve();
    await settle();
    assert.deepEqual(begun, ['default/a', 'default/b', 'default/c']);
    assert.equal(await count('active_workers'), 0);
  });

  it('names the object and the reconcile in every line it logs', async () => {
    const controller = start(async (_key, { log }) => {
      log.info('Looked');
      return {};
    });
    controller.enqueue('default/a');
    controller.enqueue('default/b');
    await settle();
    assert.deepEqual(
      logged.map(({ namespace, name, msg }) => [namespace, name, msg]),
      [
        ['default', 'a', 'Looked'],
        ['default', 'b', 'Looked'],
      ],
    );
    assert.notEqual(logged[0]?.reconcileID, logged[1]?.reconcileID);
  });

  it('does what is queued before it stops, without aborting it', async () => {
    const done: string[] = [];
    const controller = start(async (key, { signal }) => {
      await new Promise<void>((resolve) => clock.schedule(100, resolve));
      if (!signal.aborted) done.push(key);
      return { requeueAfterMs: 10 };
    }, 1);
    controller.enqueue('default/a');
    controller.enqueue('default/b');
    await settle();
    stop.abort();
    await clock.advance(1000);
    await running;
    assert.deepEqual(done, ['default/a', 'default/b']);
    assert.equal(clock.pending, 0);
  });

  it('ends at once when its time is up: a reconcile sees the abort, the rest is left for the next start', async () => {
    const begun: string[] = [];
    const controller = start(async (key, { signal }) => {
      begun.push(key);
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return {};
    }, 1);
    controller.enqueue('default/a');
    controller.enqueue('default/b');
    await settle();
    stop.abort();
    abort.abort(new Error('time is up'));
    await running;
    assert.deepEqual(begun, ['default/a']);
    assert.equal(await count('reconcile_errors_total'), 0);
  });
});
