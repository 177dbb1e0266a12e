import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { type ModelInfo, ModelInfoReader } from './model-info.ts';
import { readyPod, samplePod } from './sample.ts';

/** A reader whose pods answer when the test says so. */
function setUp(concurrency = 8) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const enqueued: string[] = [];
  const asked: {
    podIP: string;
    signal: AbortSignal;
    answer: (info: ModelInfo) => void;
    fail: (error: Error) => void;
  }[] = [];
  const reader = new ModelInfoReader({
    clock,
    signal: stop.signal,
    concurrency,
    onInfo: (key) => enqueued.push(key),
    fetchModelInfo: (podIP, _model, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<ModelInfo>();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      asked.push({ podIP, signal, answer: resolve, fail: reject });
      return promise;
    },
  });
  return { clock, stop, enqueued, asked, reader };
}

describe('ModelInfoReader', () => {
  it('asks each ready pod once and then enqueues its service', async () => {
    const { reader, asked, enqueued } = setUp();
    const pods = [readyPod('a', '10.0.0.1'), samplePod('b', { podIP: '10.0.0.2' })];
    reader.observe('ns/m', 'm', pods);
    reader.observe('ns/m', 'm', pods);
    assert.deepEqual(
      asked.map(({ podIP }) => podIP),
      ['10.0.0.1'],
    );
    asked[0]?.answer({ engine: 'Wasm' });
    await settle();
    assert.deepEqual(enqueued, ['ns/m']);
    assert.deepEqual(reader.known.get('a'), { engine: 'Wasm' });
    reader.observe('ns/m', 'm', pods);
    assert.equal(asked.length, 1);
  });

  it('asks again, later and later, while a pod does not answer', async () => {
    const { reader, asked, clock, stop } = setUp();
    reader.observe('ns/m', 'm', [readyPod('a')]);
    asked[0]?.fail(new Error('503'));
    await clock.advance(999);
    assert.equal(asked.length, 1);
    await clock.advance(1);
    assert.equal(asked.length, 2);
    asked[1]?.fail(new Error('503'));
    await clock.advance(1_999);
    assert.equal(asked.length, 2);
    await clock.advance(1);
    assert.equal(asked.length, 3);
    stop.abort();
    await settle();
    await clock.advance(120_000);
    assert.equal(asked.length, 3, 'the stop ends it');
  });

  it('forgets pods that are gone, and stops asking them', async () => {
    const { reader, asked, enqueued } = setUp();
    reader.observe('ns/m', 'm', [readyPod('a'), readyPod('b')]);
    asked[0]?.answer({ engine: 'Wasm' });
    await settle();
    const gone = once(asked[1]?.signal as AbortSignal, 'abort');
    reader.observe('ns/m', 'm', []);
    await gone;
    await settle();
    assert.deepEqual([...reader.known.keys()], []);
    assert.deepEqual(enqueued, ['ns/m']);
  });

  it('asks no more than so many pods at a time', async () => {
    const { reader, asked } = setUp(2);
    reader.observe('ns/m', 'm', [readyPod('a'), readyPod('b'), readyPod('c')]);
    await settle();
    assert.equal(asked.length, 2);
    asked[0]?.answer({});
    await settle();
    assert.equal(asked.length, 3);
  });
});
