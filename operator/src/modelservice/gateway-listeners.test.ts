import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../runtime/fake-clock.ts';
import { type FetchListener, GatewayListeners } from './gateway-listeners.ts';
import { sampleGatewayPod } from './sample.ts';

const KEY = 'vision/mnist';
const PORT = 20_007;

function setUp(fetchListener: FetchListener) {
  const clock = new FakeClock();
  const told: string[] = [];
  const stop = new AbortController();
  const listeners = new GatewayListeners({
    fetchListener,
    clock,
    signal: stop.signal,
    onAnswer: (key) => told.push(key),
  });
  return { clock, told, stop, listeners };
}

describe('GatewayListeners', () => {
  it('asks each pod until it listens on the port, and tells of each change', async () => {
    const asked: string[] = [];
    let port: number | undefined;
    const { clock, told, listeners } = setUp(async ({ ip }, key) => {
      asked.push(`${ip} ${key}`);
      return port;
    });
    listeners.want(KEY, PORT, [sampleGatewayPod('a')]);
    await clock.advance(600);
    assert.deepEqual(asked, ['10.1.0.1 vision/mnist', '10.1.0.1 vision/mnist']);
    assert.deepEqual([...listeners.answers(KEY)], [['a', 'No']]);
    assert.deepEqual(told, [KEY]);
    port = PORT;
    await clock.advance(1000);
    assert.deepEqual([...listeners.answers(KEY)], [['a', PORT]]);
    assert.deepEqual(told, [KEY, KEY]);
    await clock.advance(60_000);
    assert.equal(asked.length, 3);
  });

  it('takes a pod that cannot be asked for one that does not listen, and asks it ever less often', async () => {
    let asked = 0;
    const { clock, listeners } = setUp(async () => {
      asked++;
      throw new Error('no route');
    });
    listeners.want(KEY, PORT, [sampleGatewayPod('a')]);
    await clock.advance(600_000);
    assert.deepEqual([...listeners.answers(KEY)], [['a', 'No']]);
    assert.ok(asked > 40 && asked < 60, `${asked}`);
  });

  it('asks anew for another port, and forgets pods that are gone', async () => {
    let port = PORT;
    const { clock, listeners } = setUp(async () => port);
    listeners.want(KEY, PORT, [sampleGatewayPod('a'), sampleGatewayPod('b')]);
    await clock.advance(0);
    assert.deepEqual([...listeners.answers(KEY).keys()], ['a', 'b']);
    port = PORT + 1;
    listeners.want(KEY, PORT + 1, [sampleGatewayPod('b')]);
    assert.deepEqual([...listeners.answers(KEY)], []);
    await clock.advance(0);
    assert.deepEqual([...listeners.answers(KEY)], [['b', PORT + 1]]);
  });

  it('does not take the answer of a question that it gave up', async () => {
    const answer = Promise.withResolvers<number>();
    const { clock, told, listeners } = setUp(() => answer.promise);
    listeners.want(KEY, PORT, [sampleGatewayPod('a')]);
    listeners.forget(KEY);
    answer.resolve(PORT);
    await clock.advance(60_000);
    assert.deepEqual([[...listeners.answers(KEY)], told], [[], []]);
  });
});
