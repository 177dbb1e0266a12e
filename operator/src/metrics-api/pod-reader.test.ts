import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import type { Reading } from './metric-source.ts';
import { PodReader } from './pod-reader.ts';
import type { ServerPod } from './server-pod.ts';

const text = (value: number): string => `modelservice_in_flight_avg15s{model="m"} ${value}\n`;

function pod(name: string, ready = true): ServerPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', uid: name, resourceVersion: '1' },
    metricsUrl: ready ? `http://${name}/metrics` : undefined,
  };
}

/** Pods by name; what a test puts in `answers` is what they say, and a name that is not there hangs. */
function scripted(options: { concurrency?: number } = {}) {
  const clock = new FakeClock();
  const answers = new Map<string, () => string>();
  const asked: string[] = [];
  const results: string[] = [];
  const reader = new PodReader({
    clock,
    ...options,
    onRead: (result) => results.push(result),
    fetchText: (url, signal) => {
      const { hostname } = new URL(url);
      asked.push(hostname);
      const answer = answers.get(hostname);
      if (answer !== undefined) return Promise.resolve().then(answer);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    },
  });
  return { clock, answers, asked, results, reader };
}

const readValue = (reading: Reading | undefined): number | undefined => reading?.samples[0]?.value;

describe('pod reader', () => {
  it('shares one answer for a second, then asks again', async () => {
    const { clock, answers, asked, reader } = scripted();
    let value = 1;
    answers.set('a', () => text(value));
    const both = await Promise.all([reader.read(pod('a')), reader.read(pod('a'))]);
    assert.deepEqual(both.map(readValue), [1, 1]);
    value = 2;
    await clock.advance(1000);
    assert.equal(readValue(await reader.read(pod('a'))), 1);
    assert.equal(asked.length, 1);
    await clock.advance(1);
    assert.equal(readValue(await reader.read(pod('a'))), 2);
  });

  it('does not ask a pod that is not ready', async () => {
    const { asked, reader } = scripted();
    assert.equal(await reader.read(pod('a', false)), undefined);
    assert.deepEqual(asked, []);
  });

  it('waits a second for a pod that hangs, once; then asks it in the background, ever more seldom', async () => {
    const { clock, asked, reader } = scripted();
    const first = reader.read(pod('a'));
    await clock.advance(999);
    assert.equal(await Promise.race([first, settle().then(() => 'waits')]), 'waits');
    await clock.advance(1);
    assert.equal(await first, undefined);

    assert.equal(await reader.read(pod('a')), undefined, 'not asked, and so not waited for');
    assert.equal(asked.length, 1);
    await clock.advance(2000);
    const second = reader.read(pod('a'));
    await clock.advance(10);
    assert.equal(await second, undefined, 'waited for 10 ms');
    assert.equal(asked.length, 2);
    await clock.advance(990 + 3999);
    assert.equal(await reader.read(pod('a')), undefined);
    assert.equal(asked.length, 2, 'after two timeouts it has 4 s of rest');
  });

  it('counts a pod again as soon as it answers', async () => {
    const { clock, answers, reader } = scripted();
    const first = reader.read(pod('a'));
    await clock.advance(1000);
    await first;
    answers.set('a', () => text(3));
    await clock.advance(2000);
    assert.equal(readValue(await reader.read(pod('a'))), 3);
    await clock.advance(15_000);
    assert.equal(readValue(await reader.read(pod('a'))), 3);
  });

  it('asks a pod that refuses the connection each time: that costs nothing', async () => {
    const { answers, results, reader } = scripted();
    answers.set('a', () => {
      throw new Error('refused');
    });
    assert.equal(await reader.read(pod('a')), undefined);
    answers.set('a', () => text(4));
    assert.equal(readValue(await reader.read(pod('a'))), 4);
    assert.deepEqual(results, ['failed', 'ok']);
  });

  it('reads no more pods at once than it may, and begins with the next when one is done', async () => {
    const { clock, answers, asked, reader } = scripted({ concurrency: 2 });
    answers.set('c', () => text(5));
    const reads = ['a', 'b', 'c'].map((name) => reader.read(pod(name)));
    await settle();
    assert.deepEqual(asked, ['a', 'b']);
    await clock.advance(1000);
    assert.deepEqual((await Promise.all(reads)).map(readValue), [undefined, undefined, 5]);
  });
});
