import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pino } from 'pino';
import { ApiError } from '../kube/errors.ts';
import type { Intent } from '../kube/types.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import type { ModelService } from './contract.ts';
import { Waker } from './waker.ts';

const SERVICE = 'n/digits';
const context = { signal: new AbortController().signal, log: pino({ level: 'silent' }) };

function wakerOf(scaling: NonNullable<ModelService['status']>['scaling'] = { state: 'Idle' }) {
  const clock = new FakeClock();
  const writes: unknown[] = [];
  const results: boolean[] = [];
  const state = { awaited: true, scaling, failure: undefined as Error | undefined };
  const metadata = { namespace: 'n', name: 'digits', uid: 'u', resourceVersion: '1' };
  const service = (): ModelService => ({
    apiVersion: 'modelservice.dev/v1alpha1',
    kind: 'ModelService',
    metadata,
    status: { scaling: state.scaling ?? {} },
  });
  const waker = new Waker({
    api: {
      async apply<T>(_: unknown, intent: Intent, options: object) {
        if (state.failure !== undefined) throw state.failure;
        writes.push({ ...intent, ...options });
        return intent as unknown as T;
      },
    },
    services: { get: service, list: () => [service()], byIndex: () => [] },
    isAwaited: () => state.awaited,
    clock,
    onWritten: (ok) => results.push(ok),
  });
  return { clock, writes, results, state, waker, look: () => waker.reconcile(SERVICE, context) };
}

describe('wake requests', () => {
  it('are the present time in the status, and nothing else', async () => {
    const { clock, writes, look } = wakerOf();
    assert.deepEqual(await look(), { requeueAfterMs: 15_000 });
    assert.deepEqual(writes, [
      {
        apiVersion: 'modelservice.dev/v1alpha1',
        kind: 'ModelService',
        metadata: { namespace: 'n', name: 'digits' },
        status: { scaling: { wakeRequestTime: new Date(clock.now()).toISOString() } },
        fieldManager: 'modelservice-gateway',
        subresource: 'status',
      },
    ]);
  });

  it('are written again every 15 s while requests wait, however often one comes', async () => {
    const { clock, writes, look } = wakerOf();
    await look();
    await clock.advance(9000);
    assert.deepEqual(await look(), { requeueAfterMs: 6000 });
    assert.equal(writes.length, 1);
    await clock.advance(6000);
    await look();
    assert.equal(writes.length, 2);
  });

  it('are not written when nobody waits any longer', async () => {
    const { clock, writes, state, look } = wakerOf();
    await look();
    state.awaited = false;
    await clock.advance(15_000);
    assert.deepEqual(await look(), {});
    assert.equal(writes.length, 1);
  });

  it('are written at once at the next time at zero', async () => {
    const { clock, writes, waker, look } = wakerOf();
    await look();
    await clock.advance(1000);
    waker.forget(SERVICE);
    await look();
    assert.equal(writes.length, 2);
  });

  it('are left to another gateway that has asked while the operator is at it', async () => {
    const { clock, writes, state, look } = wakerOf();
    state.scaling = { state: 'Waking', wakeRequestTime: new Date(clock.now()).toISOString() };
    await clock.advance(5000);
    assert.deepEqual(await look(), { requeueAfterMs: 10_000 });
    await clock.advance(10_000);
    await look();
    assert.equal(writes.length, 1);
  });

  it('are written where the last one is of an earlier time at zero', async () => {
    const { clock, writes, state, look } = wakerOf();
    state.scaling = { state: 'Idle', wakeRequestTime: new Date(clock.now()).toISOString() };
    await clock.advance(5000);
    await look();
    assert.equal(writes.length, 1);
  });

  it('are written where another gateway’s clock is far ahead', async () => {
    const { clock, writes, state, look } = wakerOf();
    state.scaling = { state: 'Waking', wakeRequestTime: new Date(clock.now() + 3_600_000).toISOString() };
    await look();
    assert.equal(writes.length, 1);
  });

  it('fail so that the queue tries them again', async () => {
    const { results, state, writes, look } = wakerOf();
    state.failure = new Error('no route to host');
    await assert.rejects(look(), /no route to host/);
    state.failure = undefined;
    await look();
    assert.deepEqual([results, writes.length], [[false, true], 1]);
  });

  it('are given up for a service that is gone', async () => {
    const { results, state, look } = wakerOf();
    state.failure = new ApiError({ attempt: 'apply', code: 404, reason: 'NotFound', statusMessage: 'not found' });
    assert.deepEqual(await look(), {});
    assert.deepEqual(results, []);
  });
});
