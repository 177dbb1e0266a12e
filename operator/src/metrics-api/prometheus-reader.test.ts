import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { SourceUnavailableError } from './metric-source.ts';
import type { Vector } from './prometheus-query.ts';
import { PrometheusReader } from './prometheus-reader.ts';
import type { ServerPod } from './server-pod.ts';

const METRIC = 'modelservice_in_flight_avg15s';
const NOW = 1_800_000_000;

function pod(name: string, ready = true): ServerPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', uid: name, resourceVersion: '1' },
    metricsUrl: ready ? `http://${name}/metrics` : undefined,
  };
}

const vector = (name: string, value: number): Vector => [
  { metric: { namespace: 'n', pod: name, modelservice_part: 'value' }, value: [NOW, String(value)] },
  { metric: { namespace: 'n', pod: name, modelservice_part: 'at' }, value: [NOW, String(NOW)] },
];

type Answer = Vector | Error | 'hangs';

function scripted({ concurrency }: { concurrency?: number } = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const results: string[] = [];
  const state: { answer: Answer } = { answer: vector('a', 1) };
  const reader = new PrometheusReader({
    host: 'prometheus:9090',
    clock,
    concurrency,
    maxAgeMs: 90_000,
    onQuery: (result) => results.push(result),
    query: (expression, signal) => {
      asked.push(expression);
      const { answer } = state;
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer !== 'hangs') return Promise.resolve(answer);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    },
  });
  const value = async (name = 'a') => (await reader.read([pod(name)], METRIC))[0]?.samples[0]?.value;
  const refusal = (name = 'a') =>
    value(name).then(
      () => 'answered',
      (error: unknown) => (error instanceof SourceUnavailableError ? error.message : error),
    );
  return { clock, asked, results, state, reader, value, refusal };
}

const LATE = 'Prometheus at prometheus:9090 did not answer within 3 s';

describe('reading from Prometheus', () => {
  it('asks once for all pods, and tells nothing of those that it does not know or that are not ready', async () => {
    const { asked, reader } = scripted();
    const readings = await reader.read([pod('loading', false), pod('a'), pod('new')], METRIC);
    assert.deepEqual(
      readings.map((reading) => reading?.samples[0]?.value),
      [undefined, 1, undefined],
    );
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /pod=~"a\|new"/);
  });

  it('does not ask where no pod is ready', async () => {
    const { asked, reader } = scripted();
    assert.deepEqual(await reader.read([pod('a', false)], METRIC), [undefined]);
    assert.deepEqual(asked, []);
  });

  it('shares an answer for a second', async () => {
    const { clock, asked, state, value } = scripted();
    assert.deepEqual(await Promise.all([value(), value()]), [1, 1]);
    state.answer = vector('a', 2);
    await clock.advance(999);
    assert.equal(await value(), 1);
    await clock.advance(1);
    assert.equal(await value(), 2);
    assert.equal(asked.length, 2);
    assert.equal(await value('b'), undefined);
    assert.equal(asked.length, 3, 'other pods are another question');
  });

  it('says that Prometheus is down, and asks again the next time', async () => {
    const { asked, results, state, refusal, value } = scripted();
    state.answer = new Error('could not be asked (ECONNREFUSED)');
    assert.equal(await refusal(), 'Prometheus at prometheus:9090 could not be asked (ECONNREFUSED)');
    state.answer = vector('a', 1);
    assert.equal(await value(), 1);
    assert.deepEqual([asked.length, results], [2, ['failed', 'ok']]);
  });

  it('waits 3 s for one that hangs; then one query in 2 s tries, and the others are refused at once', async () => {
    const { clock, asked, results, state, refusal, value } = scripted();
    state.answer = 'hangs';
    const first = refusal();
    await clock.advance(2999);
    assert.equal(await Promise.race([first, settle().then(() => 'waits')]), 'waits');
    await clock.advance(1);
    assert.equal(await first, LATE);

    const second = refusal('b');
    assert.equal(await refusal('c'), LATE);
    assert.equal(asked.length, 2, 'a third was not asked');
    await clock.advance(3000);
    assert.equal(await second, LATE);

    state.answer = vector('a', 1);
    assert.equal(await value(), 1);
    assert.equal(await value('b'), undefined);
    assert.deepEqual(results, ['timeout', 'timeout', 'ok', 'ok']);
  });

  it('waits no longer where others are before it', async () => {
    const { clock, asked, state, refusal } = scripted({ concurrency: 1 });
    state.answer = 'hangs';
    const both = Promise.all([refusal('a'), refusal('b')]);
    await clock.advance(3000);
    assert.deepEqual(await both, [LATE, LATE]);
    assert.ok(asked.length >= 1);
  });
});
