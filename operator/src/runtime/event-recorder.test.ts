import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import type { Intent, KubeObject } from '../kube/types.ts';
import { type EventDraft, EventRecorder } from './event-recorder.ts';
import { FakeClock } from './fake-clock.ts';

const MINUTE = 60_000;

describe('EventRecorder', () => {
  let clock: FakeClock;
  let written: Intent[];
  /** What the next writes are answered with instead of success. */
  let failures: Error[];
  let recorder: EventRecorder;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    written = [];
    failures = [];
    stop = new AbortController();
    const api = {
      apply: async (_type: unknown, intent: Intent) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        written.push(intent);
        return intent;
      },
    } as unknown as KubeApi;
    const log = pino({ level: 'silent' });
    recorder = new EventRecorder({ api, clock, log, controller: 'example.com/operator', instance: 'one' });
    running = recorder.run(stop.signal);
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  function regarding(name: string): KubeObject {
    const metadata = { name, namespace: 'vision', uid: `uid-${name}`, resourceVersion: '1' };
    return { apiVersion: 'example.com/v1', kind: 'Thing', metadata };
  }
  const draft: EventDraft = { type: 'Warning', reason: 'Broken', action: 'Mend', note: 'It is broken.' };
  const failure = (code: number): ApiError => new ApiError({ attempt: 'apply', code, reason: '', statusMessage: 'no' });

  it('writes what has happened', async () => {
    recorder.record(regarding('a'), draft);
    await clock.advance(0);
    const [event] = written;
    assert.match(event?.metadata.name ?? '', /^a\.[0-9a-f]+$/);
    assert.partialDeepStrictEqual(event, {
      metadata: { namespace: 'vision' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      ...draft,
      regarding: { kind: 'Thing', name: 'a', uid: 'uid-a' },
      reportingController: 'example.com/operator',
      reportingInstance: 'one',
    });
  });

  it('counts equal ones in one Event, and writes the count but now and then', async () => {
    for (let minute = 0; minute < 40; minute++) {
      recorder.record(regarding('a'), draft);
      await clock.advance(MINUTE);
    }
    assert.equal(new Set(written.map(({ metadata }) => metadata.name)).size, 1);
    assert.deepEqual(
      written.map(({ series }) => series),
      [
        undefined,
        { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' },
        { count: 32, lastObservedTime: '2026-01-01T00:31:00.000000Z' },
      ],
    );
    await clock.advance(7 * MINUTE);
    recorder.record(regarding('a'), draft);
    await clock.advance(0);
    assert.notEqual(written[3]?.metadata.name, written[0]?.metadata.name, 'after a silence it is another one');
  });

  it('writes 50 at once, then 20 a second, and drops what would wait too long', async () => {
    for (let index = 0; index < 2000; index++) recorder.record(regarding(`a${index}`), draft);
    await clock.advance(0);
    assert.equal(written.length, 50);
    await clock.advance(10_000);
    assert.equal(written.length, 250);
    await clock.advance(10 * MINUTE);
    assert.equal(written.length, 1000);
  });

  it('tries again what a server could not do, and drops what it refuses', async () => {
    failures.push(failure(503), failure(500));
    recorder.record(regarding('a'), draft);
    await clock.advance(5_000);
    assert.equal(written.length, 1);
    failures.push(failure(403), failure(503), failure(503), failure(503));
    recorder.record(regarding('refused'), draft);
    recorder.record(regarding('unlucky'), draft);
    await clock.advance(10_000);
    assert.deepEqual([written.length, failures.length], [1, 0]);
  });

  it('cuts what is longer than an Event may be', async () => {
    recorder.record(regarding('a'), { ...draft, note: 'ü'.repeat(1000) });
    await clock.advance(0);
    const note = String(written[0]?.note);
    assert.match(note, /^ü{510}…$/);
  });
});
