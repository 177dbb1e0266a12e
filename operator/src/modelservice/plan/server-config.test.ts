import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sampleService } from '../sample.ts';
import { serverConfigOf } from './server-config.ts';

describe('serverConfigOf', () => {
  const batchingOf = (batching?: Parameters<typeof sampleService>[0]) =>
    serverConfigOf(sampleService(batching)).models.map((model) => model.batching);

  it('says nothing of batching where the manifest says nothing: its pods keep their template', () => {
    assert.deepEqual(batchingOf(), [undefined]);
    assert.ok(!('batching' in (serverConfigOf(sampleService()).models[0] ?? {})));
  });

  for (const [maxDelay, maxDelayMs] of [
    ['2ms', 2],
    ['0s', 0],
    ['1s', 1000],
  ] as const) {
    it(`gives the server a delay of ${maxDelay} in milliseconds`, () => {
      const limits = { maxBatchSize: 64, maxQueueSize: 512 };
      assert.deepEqual(batchingOf({ batching: { ...limits, maxDelay } }), [{ ...limits, maxDelayMs }]);
    });
  }
});
