import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { InferenceError } from '../failures.ts';
import { BAD, FATAL, POISON, Simulation, told } from './test-support/simulation.ts';

const join = { maxBatchSize: 4, maxDelayMs: 2 };

function rowsIn({ batches }: Simulation): readonly (readonly number[])[] {
  return batches.map(({ values }) => values);
}

describe('batcher', () => {
  it('sends a request at once while the engine is free, and joins what came while it was busy', async () => {
    const simulation = new Simulation({ join });
    const answers = [1, 2, 3].map((value) => told(simulation.ask([value])));
    assert.deepEqual(rowsIn(simulation), [[1]]);
    await simulation.clock.pass(5);
    assert.deepEqual(rowsIn(simulation), [[1], [2, 3]]);
    assert.deepEqual(await Promise.all(answers), [{ double: [2] }, { double: [4] }, { double: [6] }]);
    assert.deepEqual([simulation.waits, simulation.mostWaiting, simulation.waiting], [[0, 1, 1], 2, 0]);
  });

  it('gives each request the outputs that it wants, in its order', async () => {
    const simulation = new Simulation({ join });
    const wanted = [['double'], ['negative', 'double'], ['negative'], ['double']];
    const answers = wanted.map((outputs, index) => simulation.ask([index + 1], { outputs }));
    await simulation.clock.pass(5);
    const names = (await Promise.all(answers)).map((outputs) => [...outputs.keys()]);
    assert.deepEqual(names, wanted);
    assert.deepEqual(
      simulation.batches.map(({ outputs }) => outputs),
      [['double'], ['negative', 'double']],
    );
  });

  it('joins only requests whose rows have one shape', async () => {
    const simulation = new Simulation({ join });
    const answers = [1, 2, 1, 2, 1].map((width, index) => told(simulation.ask([index], { width })));
    await simulation.clock.pass(5);
    await Promise.all(answers);
    assert.deepEqual(rowsIn(simulation), [[0], [1, 3], [2, 4]]);
  });

  it('computes a request larger than a batch in parts, and lets others pass between them', async () => {
    const simulation = new Simulation({ join });
    const large = told(simulation.ask([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    const small = told(simulation.ask([100]));
    await simulation.clock.pass(10);
    assert.deepEqual(rowsIn(simulation), [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 100],
    ]);
    assert.deepEqual(await large, { double: [2, 4, 6, 8, 10, 12, 14, 16, 18] });
    assert.deepEqual(await small, { double: [200] });
  });

  it('keeps as many batches at the engine as it has threads', async () => {
    const simulation = new Simulation({ join, threads: 2 });
    const answers = [1, 2, 3, 4, 5].map((value) => told(simulation.ask([value])));
    assert.deepEqual(rowsIn(simulation), [[1], [2]]);
    await simulation.clock.pass(5);
    await Promise.all(answers);
    assert.equal(simulation.mostRunning, 2);
  });

  it('fails the bad row alone', async () => {
    const simulation = new Simulation({ join });
    const answers = [0, 1, BAD, 3, 4].map((value) => told(simulation.ask([value])));
    await simulation.clock.pass(20);
    assert.deepEqual(await Promise.all(answers), [
      { double: [0] },
      { double: [2] },
      'Failed',
      { double: [6] },
      { double: [8] },
    ]);
  });

  for (const { title, poison, code } of [
    { title: 'broke the engine', poison: POISON, code: 'EngineBroken' },
    { title: 'was with the engine when that ended', poison: FATAL, code: 'EngineRestarted' },
  ]) {
    it(`runs each request of a batch that ${title} once more, by itself`, async () => {
      const simulation = new Simulation({ join });
      const answers = [0, 1, poison, 3, 4].map((value) => told(simulation.ask([value])));
      await simulation.clock.pass(20);
      assert.deepEqual(await Promise.all(answers), [
        { double: [0] },
        { double: [2] },
        code,
        { double: [6] },
        { double: [8] },
      ]);
      assert.deepEqual(rowsIn(simulation), [[0], [1, poison, 3, 4], [1], [poison], [3], [4]]);
    });
  }

  it('refuses what is more than the queue takes, and says when to come again', async () => {
    const simulation = new Simulation({ join, maxQueueSize: 4, costMs: () => 3000 });
    const first = told(simulation.ask([0]));
    await simulation.clock.pass(3000);
    const answers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((value) => told(simulation.ask([value])));
    await assert.rejects(simulation.ask([10]), (error) => {
      assert.ok(error instanceof InferenceError);
      assert.deepEqual([error.code, error.retryAfterSeconds], ['QueueFull', 3]);
      return true;
    });
    await simulation.clock.pass(20_000);
    await Promise.all([first, ...answers]);
    assert.equal(simulation.mostWaiting, 4);
    assert.equal(simulation.batches.flatMap(({ values }) => values).includes(10), false);
  });

  it('bounds the queue of a model that does not join, and runs its requests one by one', async () => {
    const simulation = new Simulation({ maxQueueSize: 2 });
    const answers = [[1, 2, 3, 4, 5, 6], [7], [8], [9], [10]].map((values) => told(simulation.ask(values)));
    await simulation.clock.pass(10);
    assert.deepEqual(rowsIn(simulation), [[1, 2, 3, 4, 5, 6], [7], [8], [9]]);
    assert.equal(simulation.mostRunning, 2);
    assert.equal((await Promise.all(answers)).at(-1), 'QueueFull');
  });

  it('hands a thread that is busy the next batch once that is full', async () => {
    const simulation = new Simulation({ join });
    const answers = [1, 2, 3, 4, 5, 6].map((value) => told(simulation.ask([value])));
    assert.deepEqual(rowsIn(simulation), [[1], [2, 3, 4, 5]]);
    await simulation.clock.pass(5);
    await Promise.all(answers);
    assert.deepEqual(rowsIn(simulation).at(-1), [6]);
  });

  it('does not compute what nobody waits for any more', async () => {
    const simulation = new Simulation({ join });
    const leaving = new AbortController();
    const answers = [
      told(simulation.ask([1])),
      told(simulation.ask([2], { signal: leaving.signal })),
      told(simulation.ask([3])),
    ];
    leaving.abort();
    assert.equal(simulation.waiting, 1);
    await simulation.clock.pass(5);
    assert.deepEqual(await Promise.all(answers), [{ double: [2] }, 'Cancelled', { double: [6] }]);
    assert.deepEqual(rowsIn(simulation), [[1], [3]]);
  });

  it('refuses at its deadline what still waits, and does not compute it', async () => {
    const simulation = new Simulation({ join, costMs: () => 100 });
    const [, late] = [told(simulation.ask([1])), told(simulation.ask([2], { timeoutMs: 10 }))];
    await simulation.clock.pass(10);
    assert.equal(await late, 'DeadlineExceeded');
    await simulation.clock.pass(500);
    assert.deepEqual(rowsIn(simulation), [[1]]);
  });

  it('counts as waiting, and refuses at its deadline, what lies at the engine behind other models', async () => {
    const simulation = new Simulation({ join, behindMs: 100 });
    const [first, late] = [told(simulation.ask([1])), told(simulation.ask([2], { timeoutMs: 10 }))];
    assert.equal(simulation.waiting, 2);
    await simulation.clock.pass(10);
    assert.equal(await late, 'DeadlineExceeded');
    assert.deepEqual([simulation.waiting, simulation.waits], [1, []]);
    await simulation.clock.pass(100);
    assert.deepEqual([await first, simulation.waiting, simulation.waits], [{ double: [2] }, 0, [100]]);
  });

  it('refuses on arrival what cannot be answered in time, and tries it while the engine is free', async () => {
    const simulation = new Simulation({ join, costMs: () => 100 });
    const inTime = { timeoutMs: 50 };
    const first = told(simulation.ask([1], inTime));
    await simulation.clock.pass(100);
    const second = told(simulation.ask([2], inTime));
    assert.equal(await told(simulation.ask([3], inTime)), 'DeadlineExceeded');
    await simulation.clock.pass(100);
    assert.deepEqual([await first, await second], [{ double: [2] }, { double: [4] }]);
  });

  it('stops joining where an output has other rows than the inputs', async () => {
    const simulation = new Simulation({ join, rowsOut: (rows) => (rows === 1 ? 1 : rows - 1) });
    const answers = [1, 2, 3, 4, 5, 6].map((value) => told(simulation.ask([value])));
    await simulation.clock.pass(20);
    assert.deepEqual(
      await Promise.all(answers),
      [1, 2, 3, 4, 5, 6].map((value) => ({ double: [value * 2] })),
    );
    assert.deepEqual(simulation.notJoined, ['output "double" has 3 rows for 4 of the input']);
    // Each alone in the end, though four were joined before it was known.
    const alone = rowsIn(simulation).filter(({ length }) => length === 1);
    assert.deepEqual(alone.flat().sort(), [1, 2, 3, 4, 5, 6]);
  });
});
