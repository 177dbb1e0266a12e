import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createLoadTimer } from './load-timer.ts';

describe('load timer', () => {
  it('measures each phase from its first report to the next phase, and no time between two loads', () => {
    let now = 0;
    const ended: unknown[] = [];
    const timer = createLoadTimer({ phaseEnded: (...phase) => ended.push(phase) }, () => now);
    const at = (ms: number, phase: string): void => {
      now = ms;
      timer.entered('m', '1', phase);
    };
    at(0, 'Fetching');
    at(400, 'Fetching');
    at(1000, 'Loading');
    at(3000, 'Ready');
    at(60_000, 'Fetching');
    at(60_500, 'Failed');
    assert.deepEqual(ended, [
      ['m', '1', 'Fetching', 1],
      ['m', '1', 'Loading', 2],
      ['m', '1', 'Fetching', 0.5],
    ]);
  });
});
