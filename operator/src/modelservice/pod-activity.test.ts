import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../runtime/fake-clock.ts';
import { PodActivityReader, podActivityIn } from './pod-activity.ts';
import { readyPod, samplePod } from './sample.ts';

describe('podActivityIn', () => {
  it('adds up what is in flight and takes the last request of all models', () => {
    const activity = podActivityIn(
      [
        'modelservice_requests_in_flight{model="a",version="1"} 1',
        'modelservice_requests_in_flight{model="b",version="1"} 2',
        'modelservice_last_request_timestamp_seconds{model="a",version="1"} 1700000000.5',
        'modelservice_model_load_seconds{model="a",version="1",phase="Loading"} 0.25',
      ].join('\n'),
    );
    assert.deepEqual(activity, {
      inFlight: 3,
      lastRequestAt: 1_700_000_000_500,
      loadSeconds: new Map([['Loading', 0.25]]),
    });
  });

  it('knows of no request before the first', () => {
    const text = 'modelservice_requests_in_flight 0\n# TYPE modelservice_last_request_timestamp_seconds gauge';
    assert.equal(podActivityIn(text).lastRequestAt, undefined);
  });

  it('takes an answer without these metrics for none', () => {
    assert.throws(() => podActivityIn('up 1'), /modelservice_requests_in_flight/);
  });

  it('does not take a server that never tells its last request for an idle one', () => {
    assert.throws(() => podActivityIn('modelservice_requests_in_flight 0'), /modelservice_last_request_timestamp/);
  });
});

describe('PodActivityReader', () => {
  it('asks the ready pods once at a time, tells when all have answered, and forgets pods that are gone', async () => {
    const asked: string[] = [];
    const told = Promise.withResolvers<string>();
    const reader = new PodActivityReader({
      fetchPodActivity: async (podIP) => {
        asked.push(podIP);
        if (podIP === '10.0.0.2') throw new Error('no answer');
        return { inFlight: 0, lastRequestAt: 7, loadSeconds: new Map() };
      },
      clock: new FakeClock(1000),
      signal: new AbortController().signal,
      onRead: told.resolve,
    });
    const pods = [readyPod('a', '10.0.0.1'), readyPod('b', '10.0.0.2'), samplePod('c', { podIP: '10.0.0.3' })];
    reader.observe('vision/mnist', pods);
    reader.ask('vision/mnist', pods);
    reader.ask('vision/mnist', pods);
    assert.equal(await told.promise, 'vision/mnist');
    assert.deepEqual(asked, ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual(
      [...reader.known],
      [
        ['a', { readAt: 1000, activity: { inFlight: 0, lastRequestAt: 7, loadSeconds: new Map() } }],
        ['b', { readAt: 1000, activity: undefined }],
      ],
    );
    reader.observe('vision/mnist', pods.slice(1));
    assert.deepEqual([...reader.known.keys()], ['b']);
  });
});
