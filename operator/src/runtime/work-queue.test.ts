import assert from 'node:assert/strict';
import fc from 'fast-check';
import { beforeEach, describe, it } from 'mocha';
import { FakeClock, settle } from './fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

describe('WorkQueue', () => {
  let clock: FakeClock;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new FakeClock();
    queue = new WorkQueue({ clock });
  });

  it('hands out keys in the order in which they came, each once', async () => {
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    assert.deepEqual([await queue.get(), await queue.get(), await queue.get(), queue.depth], ['b', 'a', 'c', 0]);
  });

  it('gives a key that is added while a worker has it to nobody before that worker is done', async () => {
    queue.add('a');
    await queue.get();
    queue.add('a');
    let second: string | undefined;
    const next = queue.get().then((key) => {
      second = key;
    });
    await settle();
    assert.equal(second, undefined);
    queue.done('a');
    await next;
    assert.equal(second, 'a');
  });

  it('keeps the earliest of several delays for a key', async () => {
    queue.addAfter('a', 3000);
    queue.addAfter('a', 1000);
    queue.addAfter('a', 2000);
    await clock.advance(999);
    assert.equal(queue.depth, 0);
    await clock.advance(1);
    assert.equal(await queue.get(), 'a');
    queue.done('a');
    await clock.advance(10_000);
    assert.equal(queue.depth, 0, 'the later ones were merged into it');
  });

  it('doubles the delay of a key that keeps failing, up to the cap, and forgets it when told', async () => {
    queue = new WorkQueue({ clock, rateLimit: { baseMs: 10, capMs: 35 } });
    const delays: number[] = [];
    async function retry(): Promise<void> {
      const start = clock.now();
      queue.addRateLimited('a');
      while (queue.depth === 0) await clock.advance(1);
      delays.push(clock.now() - start);
      await queue.get();
      queue.done('a');
    }
    for (let round = 0; round < 4; round++) await retry();
    queue.forget('a');
    await retry();
    assert.deepEqual(delays, [10, 20, 35, 35, 10]);
  });

  it('waits at least as long as asked for', async () => {
    queue.addRateLimited('a', 1000);
    await clock.advance(999);
    assert.equal(queue.depth, 0);
    await clock.advance(1);
    assert.equal(queue.depth, 1);
  });

  it('hands out what is queued after the shutdown, then ends every worker', async () => {
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1000);
    await queue.get();
    queue.add('a');
    queue.shutDown();
    queue.add('d');
    assert.equal(await queue.get(), 'b');
    queue.done('b');
    const waiting = queue.get();
    queue.done('a');
    assert.equal(await waiting, 'a', 'what was asked for before the shutdown is still done');
    queue.done('a');
    assert.deepEqual(await Promise.all([queue.get(), queue.get()]), [undefined, undefined]);
    assert.equal(clock.pending, 0);
  });

  it('never gives one key to two workers and loses none', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 20 }),
        async (steps, workers, workMs) => {
          const time = new FakeClock();
          const tested = new WorkQueue({ clock: time });
          const inWork = new Set<string>();
          const addedAt = new Map<string, number>();
          const startedAt = new Map<string, number>();
          let order = 0;
          async function worker(): Promise<void> {
            for (let got = await tested.get(); got !== undefined; got = await tested.get()) {
              assert.ok(!inWork.has(got), `two workers have ${got}`);
              inWork.add(got);
              startedAt.set(got, ++order);
              await new Promise<void>((resolve) => time.schedule(workMs, resolve));
              inWork.delete(got);
              tested.done(got);
            }
          }
          const done = Array.from({ length: workers }, worker);
          for (const taken of steps) {
            if (taken.do === 'wait') await time.advance(taken.ms);
            else {
              addedAt.set(taken.key, ++order);
              if (taken.do === 'add') tested.add(taken.key);
              else tested.addAfter(taken.key, taken.ms);
            }
          }
          await time.advance(10_000);
          for (const [added, at] of addedAt) assert.ok((startedAt.get(added) ?? 0) > at, `${added} was lost`);
          tested.shutDown();
          await Promise.all(done);
        },
      ),
      { numRuns: 60 },
    );
  });
});
