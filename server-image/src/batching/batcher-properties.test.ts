import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { BAD, Simulation, told } from './test-support/simulation.ts';

interface Arrival {
  readonly gapMs: number;
  readonly rows: number;
  readonly width: number;
  readonly outputs: readonly string[];
  readonly bad: boolean;
  readonly leavesMs: number | undefined;
  readonly timeoutMs: number | undefined;
}

interface Asked {
  readonly values: readonly number[];
  readonly width: number;
  readonly outputs: readonly string[];
  readonly answer: ReturnType<typeof told>;
  readonly isBad: boolean;
}

const arrivals = fc.array(
  fc.record<Arrival>({
    gapMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 8, noNaN: true })),
    rows: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 11 })),
    width: fc.integer({ min: 1, max: 2 }),
    outputs: fc.constantFrom(['double'], ['negative'], ['negative', 'double']),
    bad: fc.boolean(),
    leavesMs: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined, freq: 4 }),
    timeoutMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined, freq: 4 }),
  }),
  { minLength: 1, maxLength: 40 },
);
const settings = fc.record({
  maxBatchSize: fc.integer({ min: 2, max: 8 }),
  maxDelayMs: fc.integer({ min: 0, max: 5 }),
  maxQueueSize: fc.integer({ min: 8, max: 20 }),
  threads: fc.integer({ min: 1, max: 3 }),
  fixedMs: fc.double({ min: 0.1, max: 10, noNaN: true }),
  perRowMs: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('batcher, whatever comes', () => {
  it('loses, doubles, mixes up and reorders nothing, and keeps its limits', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, settings, fc.boolean(), async (coming, given, withBad) => {
        const { maxBatchSize, maxDelayMs, maxQueueSize, threads, fixedMs, perRowMs } = given;
        const simulation = new Simulation({
          join: { maxBatchSize, maxDelayMs },
          maxQueueSize,
          threads,
          costMs: (rows) => fixedMs + perRowMs * rows,
        });
        let next = 1;
        const requests: Asked[] = [];
        for (const { gapMs, rows, width, outputs, bad, leavesMs, timeoutMs } of coming) {
          await simulation.clock.pass(gapMs);
          // Each row has a number of its own, and none is BAD.
          const values = Array.from({ length: rows }, () => 1000 + next++);
          if (withBad && bad) values[rows - 1] = BAD;
          const leaving = new AbortController();
          const answer = told(
            simulation.ask(values, {
              width,
              outputs,
              signal: leaving.signal,
              ...(timeoutMs !== undefined && { timeoutMs }),
            }),
          );
          if (leavesMs !== undefined) simulation.clock.after(leavesMs, () => leaving.abort());
          requests.push({ values, width, outputs, answer, isBad: values.includes(BAD) });
        }
        await simulation.clock.pass(10_000);
        for (const { values, outputs, answer, isBad } of requests) {
          const answered = await answer;
          if (typeof answered === 'string') {
            const allowed = ['QueueFull', 'DeadlineExceeded', 'Cancelled', ...(isBad ? ['Failed'] : [])];
            assert.ok(allowed.includes(answered), answered);
            continue;
          }
          assert.equal(isBad, false);
          assert.deepEqual(Object.keys(answered), outputs);
          if (outputs.includes('double'))
            assert.deepEqual(
              answered.double,
              values.map((value) => value * 2),
            );
          if (outputs.includes('negative'))
            assert.deepEqual(
              answered.negative,
              values.map((value) => -value),
            );
        }
        for (const { values } of simulation.batches) assert.ok(values.length <= maxBatchSize);
        assert.ok(simulation.mostRunning <= 2 * threads);
        assert.ok(simulation.mostWaiting <= maxQueueSize);
        assert.deepEqual([simulation.running, simulation.waiting], [0, 0]);
        assert.ok(simulation.longestIdleWaitMs <= maxDelayMs + 1e-6, `waited ${simulation.longestIdleWaitMs} ms`);
        if (!withBad) {
          const computed = simulation.batches.flatMap(({ values }) => values);
          assert.equal(new Set(computed).size, computed.length);
        }
        for (const { values, width } of simulation.batches) {
          const widths = values.map((value) => requests.find((request) => request.values.includes(value))?.width);
          if (!values.includes(BAD)) assert.deepEqual(new Set(widths), new Set([width]));
        }
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);

  it('never delays a request that comes alone, nor sets a timer for it', async () => {
    const lone = fc.array(
      fc.record({
        gapMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true })),
        rows: fc.integer({ min: 1, max: 4 }),
        tookMs: fc.double({ min: 0.01, max: 20, noNaN: true }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(lone, fc.integer({ min: 0, max: 50 }), async (coming, maxDelayMs) => {
        let tookMs = 0;
        const simulation = new Simulation({ join: { maxBatchSize: 4, maxDelayMs }, costMs: () => tookMs });
        for (const request of coming) {
          tookMs = request.tookMs;
          const answer = told(simulation.ask(Array(request.rows).fill(1)));
          assert.equal(simulation.running, 1);
          await simulation.clock.pass(tookMs + request.gapMs);
          await answer;
        }
        assert.deepEqual(new Set(simulation.waits), new Set([0]));
        // One each is the engine's own.
        assert.equal(simulation.clock.armed, coming.length);
      }),
    );
  }).timeout(60_000);

  it('waits for the others of a crowd where a batch costs much and its rows little', async () => {
    const simulation = new Simulation({
      join: { maxBatchSize: 32, maxDelayMs: 5 },
      costMs: (rows) => 2 + 0.01 * rows,
    });
    // Eight clients that come back 0.05 ms apart.
    for (let round = 0; round < 30; round += 1) {
      const answers = [];
      for (let client = 0; client < 8; client += 1) {
        answers.push(told(simulation.ask([client + 1])));
        await simulation.clock.pass(0.05);
      }
      await simulation.clock.pass(4);
      await Promise.all(answers);
    }
    const sizes = simulation.batches.slice(-20).map(({ values }) => values.length);
    assert.ok(Math.max(...sizes) >= 7, sizes.join(' '));
  });
});
