import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type Situation, waitMs } from './wait.ts';

const limits = { maxBatchSize: 32, maxDelayMs: 2 };
const dense: Situation = {
  nowMs: 100,
  requests: 1,
  rows: 1,
  oldestMs: 100,
  lastArrivalMs: 100,
  gapMs: 0.1,
  company: true,
  cost: { fixedMs: 1, perRowMs: 0.05 },
};

const situations = fc.record({
  nowMs: fc.constant(100),
  requests: fc.integer({ min: 1, max: 40 }),
  rows: fc.integer({ min: 1, max: 80 }),
  oldestMs: fc.double({ min: 90, max: 100, noNaN: true }),
  lastArrivalMs: fc.double({ min: 90, max: 100, noNaN: true }),
  gapMs: fc.double({ min: 0, max: 20, noNaN: true }),
  company: fc.boolean(),
  cost: fc.record({
    fixedMs: fc.double({ min: 0, max: 50, noNaN: true }),
    perRowMs: fc.double({ min: 0, max: 5, noNaN: true }),
  }),
});

describe('waitMs', () => {
  const cases: readonly (readonly [string, Partial<Situation>, number])[] = [
    ['waits for the next of a dense row of requests: (1 - 0.05) / 2 ms', {}, 0.475],
    ['sends what comes alone', { company: false }, 0],
    ['sends a full batch', { rows: 32, requests: 32 }, 0],
    ['sends where requests come less often than waiting pays', { gapMs: 0.5 }, 0],
    ['sends where several would wait for one', { requests: 12, rows: 12 }, 0],
    ['sends where a batch costs its rows alone', { cost: { fixedMs: 0, perRowMs: 1 } }, 0],
    ['sends before it has measured anything', { cost: { fixedMs: 0, perRowMs: 0 } }, 0],
    ['waits for maxDelay at most', { cost: { fixedMs: 500, perRowMs: 0.1 } }, 2],
    ['counts maxDelay from the oldest', { cost: { fixedMs: 500, perRowMs: 0.1 }, oldestMs: 98.5 }, 0.5],
  ];
  for (const [title, change, expected] of cases) {
    it(title, () => assert.ok(Math.abs(waitMs({ ...dense, ...change }, limits) - expected) < 1e-9));
  }

  it('never asks for more than is left of maxDelay, nor for a wait alone or with a full batch', () => {
    fc.assert(
      fc.property(situations, fc.integer({ min: 0, max: 10 }), (situation, maxDelayMs) => {
        const wait = waitMs(situation, { maxBatchSize: 32, maxDelayMs });
        assert.ok(wait >= 0 && wait <= Math.max(0, situation.oldestMs + maxDelayMs - situation.nowMs));
        if (!situation.company || situation.rows >= 32) assert.equal(wait, 0);
      }),
    );
  });

  it('comes to an end: the longer nobody comes, the less is left', () => {
    fc.assert(
      fc.property(situations, fc.double({ min: 0.001, max: 5, noNaN: true }), (situation, laterMs) => {
        const first = waitMs(situation, limits);
        const nowMs = situation.nowMs + laterMs;
        const later = waitMs({ ...situation, nowMs, gapMs: Math.max(situation.gapMs, laterMs) }, limits);
        assert.ok(later <= Math.max(0, first - laterMs) + 1e-9);
      }),
    );
  });
});
