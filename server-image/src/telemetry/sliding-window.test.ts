import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { SlidingMean, SlidingRate, WINDOW_MS } from './sliding-window.ts';

interface Step {
  readonly waitMs: number;
  readonly level: number;
}

const steps = fc.array(
  fc.record({
    waitMs: fc.oneof(
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 0, max: 40_000 }),
      fc.double({ min: 0, max: 300, noNaN: true }),
    ),
    level: fc.integer({ min: 0, max: 50 }),
  }),
  { maxLength: 80 },
);

/** The integral of the steps' levels over the window, piece by piece, by no means as the code does it. */
function bruteForceMean(startMs: number, taken: readonly Step[], endMs: number): number {
  let area = 0;
  let fromMs = startMs;
  let level = 0;
  for (const step of [...taken, { waitMs: Number.POSITIVE_INFINITY, level: 0 }]) {
    const toMs = Math.min(fromMs + step.waitMs, endMs);
    area += level * Math.max(0, toMs - Math.max(fromMs, endMs - WINDOW_MS));
    fromMs = toMs;
    level = step.level;
  }
  return area / WINDOW_MS;
}

describe('sliding mean', () => {
  it('is the integral of the level over the window, but for the quarter of a second that leaves it', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 20_000, noNaN: true }), fc.nat(100_000), (taken, waitMs, startMs) => {
        const mean = new SlidingMean(startMs);
        let nowMs = startMs;
        for (const step of taken) {
          nowMs += step.waitMs;
          mean.set(step.level, nowMs);
        }
        nowMs += waitMs;
        // Within the bucket that leaves, all could lie at its end that counts, or at the other.
        const tolerance = (50 * 250) / WINDOW_MS + 1e-6;
        const difference = Math.abs(mean.mean(nowMs) - bruteForceMean(startMs, taken, nowMs));
        assert.ok(difference <= tolerance, `differs by ${difference}`);
      }),
    );
  });

  it('is exact while the level did not change in what leaves the window', () => {
    const mean = new SlidingMean(0);
    mean.set(4, 1000);
    mean.set(10, 20_100);
    assert.equal(mean.mean(25_100), (4 * 10_000 + 10 * 5000) / WINDOW_MS);
  });

  it('moves within 2 s of a step and has all of it after 15.25 s', () => {
    const mean = new SlidingMean(0);
    mean.set(2, 100_000);
    mean.set(12, 130_010);
    assert.ok(mean.mean(132_010) > 3);
    assert.ok(mean.mean(138_010) > 7);
    assert.equal(mean.mean(145_260), 12);
    mean.set(0, 145_260);
    assert.equal(mean.mean(160_510), 0);
  });

  it('may be asked as often as one likes', () => {
    const [often, once] = [new SlidingMean(0), new SlidingMean(0)];
    for (const mean of [often, once]) mean.set(8, 500);
    for (let nowMs = 500; nowMs < 12_345; nowMs += 7) often.mean(nowMs);
    assert.ok(Math.abs(often.mean(12_345) - once.mean(12_345)) < 1e-9);
  });
});

describe('sliding rate', () => {
  it('counts each event for 15 s, then no more', () => {
    const rate = new SlidingRate();
    for (let nowMs = 0; nowMs < 30_000; nowMs += 100) rate.count(nowMs);
    assert.ok(Math.abs(rate.perSecond(30_000) - 10) < 0.2);
    assert.ok(Math.abs(rate.perSecond(37_500) - 5) < 0.2);
    assert.equal(rate.perSecond(45_250), 0);
    assert.equal(rate.perSecond(1e9), 0);
  });
});
