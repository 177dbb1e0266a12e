import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../runtime/fake-clock.ts';
import type { BackendPod } from './backend-pod.ts';
import { PodPool } from './pod-pool.ts';

const pod = (uid: string, ready = true): BackendPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'n', name: uid, uid, resourceVersion: '1' },
  address: ready ? { ip: uid, port: 8080 } : undefined,
});
const [a, b] = [pod('a'), pod('b')];

describe('the pods of a service', () => {
  const pool = (maxPerPod?: number) => new PodPool({ clock: new FakeClock(), maxPerPod });
  const ips = (of: PodPool, count: number) => Array.from({ length: count }, () => of.lease([a, b])?.address.ip);

  it('share requests out evenly', () => {
    assert.deepEqual(ips(pool(), 5), ['a', 'b', 'a', 'b', 'a']);
  });

  it('take turns when each request ends before the next', () => {
    const turns = pool();
    const taken = Array.from({ length: 4 }, () => {
      const lease = turns.lease([a, b]);
      lease?.release(true);
      return lease?.address.ip;
    });
    assert.deepEqual(taken, ['a', 'b', 'a', 'b']);
  });

  it('get the next request where fewest are under way', () => {
    const busy = pool();
    const leases = Array.from({ length: 4 }, () => busy.lease([a, b]));
    leases[1]?.release(true);
    leases[3]?.release(true);
    assert.deepEqual(ips(busy, 2), ['b', 'b']);
  });

  it('have room for so many requests each', () => {
    assert.deepEqual(ips(pool(2), 5), ['a', 'b', 'a', 'b', undefined]);
  });

  it('are left alone while they are not ready', () => {
    assert.equal(pool().lease([pod('c', false)]), undefined);
  });

  it('are left alone for longer and longer when they cannot be reached', async () => {
    const clock = new FakeClock();
    const refusing = new PodPool({ clock });
    const waits: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      // Two at a time fail as one.
      const leases = [refusing.lease([a]), refusing.lease([a])];
      for (const lease of leases) lease?.release(false);
      assert.equal(refusing.lease([a]), undefined);
      const waitMs = refusing.nextTryMs([a]);
      waits.push(waitMs);
      await clock.advance(waitMs ?? 0);
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
    refusing.lease([a])?.release(true);
    refusing.lease([a])?.release(false);
    assert.equal(refusing.nextTryMs([a]), 100);
  });

  it('stand in for one that cannot be reached', () => {
    const half = pool();
    half.lease([a, b])?.release(false);
    assert.deepEqual(ips(half, 2), ['b', 'b']);
  });
});
