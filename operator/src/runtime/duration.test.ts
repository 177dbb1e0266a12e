import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { durationMs } from './duration.ts';

describe('durationMs', () => {
  for (const [text, ms] of [
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['2s500ms', 2_500],
    ['90s', 90_000],
    ['0s', 0],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(durationMs(text), ms));
  }
  for (const text of ['', '1.5s', '-1s', '10', '1d', '500us', '1h 30m']) {
    it(`refuses "${text}"`, () => assert.throws(() => durationMs(text), /write hours, minutes, seconds or ms/));
  }
});
