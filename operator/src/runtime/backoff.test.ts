import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Backoff, reflectorBackoff } from './backoff.ts';
import { FakeClock } from './fake-clock.ts';

describe('Backoff', () => {
  it('doubles from 800 ms to 30 s, and begins anew after two quiet minutes', async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(reflectorBackoff, clock, () => 0);
    const delays = Array.from({ length: 8 }, () => backoff.nextDelayMs());
    assert.deepEqual(delays, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    await clock.advance(119_999);
    assert.equal(backoff.nextDelayMs(), 30_000);
    await clock.advance(120_000);
    assert.equal(backoff.nextDelayMs(), 800);
  });

  it('stretches a delay by up to as much again', () => {
    const backoff = new Backoff(reflectorBackoff, new FakeClock(), () => 0.75);
    assert.equal(backoff.nextDelayMs(), 1400);
  });
});
