import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type DebugState, debugHandler } from './debug.ts';

const keys = Array.from({ length: 500 }, (_, n) => `default/s${n}`);
const state: DebugState = {
  upSeconds: 1,
  isWorking: true,
  stores: [],
  controllers: [
    {
      name: 'test',
      workers: 4,
      queue: {
        waiting: keys,
        working: [],
        delayed: [],
        failing: keys.map((key, failures) => ({ key, failures })),
      },
    },
  ],
};

describe('debugHandler', () => {
  const handler = debugHandler(() => state);

  it('counts all keys and lists a hundred of each sort, those that failed most first', async () => {
    const answer = await handler('/debug', { isLocal: true });
    const { controllers } = JSON.parse(answer?.body ?? '') as { controllers: [{ queue: Record<string, Shown> }] };
    const { waiting, failing } = controllers[0].queue;
    assert.deepEqual([waiting?.count, waiting?.first.length, waiting?.first[0]], [500, 100, 'default/s0']);
    assert.deepEqual(
      [failing?.count, failing?.first.length, failing?.first[0]],
      [500, 100, { key: 'default/s499', failures: 499 }],
    );
  });

  it('answers callers inside the pod only, and tells others how to be one', async () => {
    const answer = await handler('/debug', { isLocal: false });
    assert.equal(answer?.status, 403);
    assert.match(answer?.body ?? '', /kubectl port-forward/);
  });

  it('leaves other paths to others', async () => {
    assert.equal(await handler('/debug/x', { isLocal: true }), undefined);
  });
});

interface Shown {
  readonly count: number;
  readonly first: readonly unknown[];
}
