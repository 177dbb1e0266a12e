import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventually } from './eventually.ts';

describe('eventually', () => {
  it('repeats the probe until its value will do', async () => {
    let value = 0;
    const result = await eventually(() => ++value, { because: 'it is 3', until: (n) => n === 3, intervalMs: 1 });
    assert.equal(result, 3);
  });

  it('shows the last value when the deadline passes', async () => {
    const waiting = eventually(() => ({ replicas: 2 }), { because: 'there are 3', until: () => false, deadlineMs: 0 });
    await assert.rejects(waiting, /until there are 3; the last value was \{ replicas: 2 \}/);
  });

  it('shows the last error when the probe kept throwing', async () => {
    const failing = () => Promise.reject(new Error('not found'));
    await assert.rejects(
      eventually(failing, { because: 'it exists', deadlineMs: 0 }),
      /the last try failed: not found/,
    );
  });
});
