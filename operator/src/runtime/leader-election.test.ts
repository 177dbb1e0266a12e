import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeUpdates } from '../kube/api.ts';
import type { KubeObject } from '../kube/types.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { LeaderElector, LeadershipLostError } from './leader-election.ts';
import { type Lease, type LeaseSpec, releasedRecord } from './lease-record.ts';
import { apiError } from './scripted-kube-api.ts';
import { WriteFence } from './write-fence.ts';

const TIMING = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
const REF = { namespace: 'default', name: 'operator' };

/** An API server with at most one Lease, which takes part in nothing else. */
class LeaseServer {
  lease: Lease | undefined;
  /** Each call fails with it. */
  failure: Error | undefined;
  /** Calls are not answered until their signal aborts. */
  hangs = false;
  /** Writes are stored, and their answers lost. */
  losesAnswers = false;
  readonly writes: string[] = [];
  #version = 0;

  /** As one client sees it. @param guard called before each write, as KubeClient does */
  clientOf(identity: string, guard: () => void): KubeUpdates {
    return {
      get: async <T extends KubeObject>(_type: unknown, _ref: unknown, signal: AbortSignal) => {
        await this.#meet(signal);
        if (this.lease === undefined) throw apiError(404, 'NotFound');
        return this.lease as KubeObject as T;
      },
      create: async <T>(_type: unknown, body: object, signal: AbortSignal) => {
        guard();
        await this.#meet(signal);
        if (this.lease !== undefined) throw apiError(409, 'AlreadyExists');
        return this.#store(identity, (body as { spec: LeaseSpec }).spec) as T;
      },
      update: async <T extends KubeObject>(_type: unknown, object: T, signal: AbortSignal) => {
        guard();
        await this.#meet(signal);
        if (this.lease === undefined) throw apiError(404, 'NotFound');
        if (object.metadata.resourceVersion !== this.lease.metadata.resourceVersion) throw apiError(409, 'Conflict');
        return this.#store(identity, (object as KubeObject as Lease).spec ?? {}) as KubeObject as T;
      },
    };
  }

  holder(): string | undefined {
    return this.lease?.spec?.holderIdentity;
  }

  /** Written by somebody of whom there is no elector. */
  write(spec: LeaseSpec): void {
    const metadata = { ...REF, uid: 'u', resourceVersion: String(++this.#version) };
    this.lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  }

  async #meet(signal: AbortSignal): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.hangs)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }

  #store(identity: string, spec: LeaseSpec): Lease | undefined {
    this.write(spec);
    this.writes.push(`${identity}: ${spec.holderIdentity === '' ? 'release' : spec.leaseTransitions}`);
    if (this.losesAnswers) throw apiError(500, 'InternalError');
    return this.lease;
  }
}

interface Candidate {
  readonly elector: LeaderElector;
  readonly fence: WriteFence;
  readonly leading: boolean[];
  /** True once it leads. */
  readonly acquired: Promise<boolean>;
  /** Why its term ended; undefined when it stopped by itself. */
  readonly ended: Promise<unknown>;
  leads(): boolean;
  stop(): void;
}

describe('LeaderElector', () => {
  let clock: FakeClock;
  let server: LeaseServer;
  let candidates: Candidate[];

  beforeEach(() => {
    clock = new FakeClock();
    server = new LeaseServer();
    candidates = [];
  });
  afterEach(async () => {
    for (const candidate of candidates) candidate.stop();
    await settle();
    assert.equal(clock.pending, 0, 'nobody waits for anything any more');
  });

  function candidate(identity: string): Candidate {
    const fence = new WriteFence(clock, TIMING.renewDeadlineMs);
    const leading: boolean[] = [];
    const elector = new LeaderElector({
      ...TIMING,
      api: server.clientOf(identity, fence.checkLease),
      lease: REF,
      identity,
      fence,
      clock,
      random: () => 0,
      log: pino({ level: 'silent' }),
      onLeading: (now) => leading.push(now),
    });
    const stop = new AbortController();
    const acquired = elector.acquire(stop.signal);
    const ended = acquired.then(async (led) => {
      if (led) await elector.hold(stop.signal);
    });
    const made = {
      elector,
      fence,
      leading,
      acquired,
      ended: ended.catch((error: unknown) => error),
      leads: () => leading.at(-1) === true && fence.leftMs() > 0,
      stop: () => stop.abort(),
    };
    candidates.push(made);
    return made;
  }

  it('takes a lease that nobody has made yet, at once, and renews it each retry period', async () => {
    const a = candidate('a');
    await settle();
    assert.ok(a.leads());
    assert.equal(server.holder(), 'a');
    await clock.advance(60_000);
    assert.ok(a.leads());
    assert.equal(server.writes.length, 31);
    assert.deepEqual(a.leading, [true]);
  });

  it('leads alone, however the clocks of the machine jump', async () => {
    const a = candidate('a');
    await settle();
    const b = candidate('b');
    for (const jumpMs of [86_400_000, -172_800_000, 3_600_000]) {
      clock.jump(jumpMs);
      await clock.advance(30_000);
      assert.deepEqual([a.leads(), b.leads()], [true, false]);
    }
    assert.equal(a.elector.state().leads, true);
    assert.deepEqual(b.elector.state(), { lease: 'default/operator', identity: 'b', leads: false, holder: 'a' });
  });

  it('is taken over when the lease has run out since it was last seen to change, within one retry period', async () => {
    const a = candidate('a');
    await settle();
    const b = candidate('b');
    await clock.advance(20_500);
    // It dies: what it still holds open never calls back.
    server.writes.length = 0;
    a.stop();
    await settle();
    const lastRenewalMs = 20_000;
    await clock.advance(lastRenewalMs + 15_000 - clock.elapsedMs() - 1);
    assert.ok(!b.leads(), 'it has to run out');
    await clock.advance(2001);
    assert.ok(b.leads());
    assert.deepEqual(server.writes[0], 'b: 1');
  });

  it('is taken over at once when it is given back, and the former leader writes nothing more', async () => {
    const a = candidate('a');
    await settle();
    const b = candidate('b');
    await clock.advance(5000);
    a.stop();
    await a.ended;
    await a.elector.release();
    assert.throws(a.fence.check);
    assert.deepEqual(a.leading, [true, false]);
    await clock.advance(2000);
    assert.ok(b.leads());
    assert.deepEqual(server.writes.slice(-2), ['a: release', 'b: 1']);
  });

  it('is over at the renew deadline while the API server refuses, and a standby does not begin before', async () => {
    const a = candidate('a');
    await settle();
    await clock.advance(3000);
    server.failure = apiError(500, 'InternalError');
    const b = candidate('b');
    await clock.advance(8999);
    assert.ok(a.leads());
    await clock.advance(1);
    assert.ok(!a.leads());
    assert.ok((await a.ended) instanceof LeadershipLostError);
    assert.deepEqual(a.leading, [true, false]);
    server.failure = undefined;
    await clock.advance(2000);
    assert.ok(!b.leads(), 'the standby sees the record for the first time: it may be fresh');
    await clock.advance(15_000);
    assert.ok(b.leads());
  });

  it('is over at the renew deadline while the API server does not answer', async () => {
    const a = candidate('a');
    await settle();
    await clock.advance(1000);
    server.hangs = true;
    await clock.advance(9000);
    assert.ok((await a.ended) instanceof LeadershipLostError);
  });

  it('outlasts failures that are shorter than the deadline', async () => {
    const a = candidate('a');
    await settle();
    server.failure = apiError(500, 'InternalError');
    await clock.advance(7000);
    server.failure = undefined;
    await clock.advance(60_000);
    assert.ok(a.leads());
  });

  it('finds its own name after a lost answer', async () => {
    server.losesAnswers = true;
    const a = candidate('a');
    await settle();
    assert.ok(!a.leads());
    server.losesAnswers = false;
    await clock.advance(2000);
    assert.ok(a.leads());
    server.losesAnswers = true;
    await clock.advance(2000);
    server.losesAnswers = false;
    await clock.advance(60_000);
    assert.ok(a.leads());
  });

  it('renews nothing and lets no write pass when it stood still for longer than the deadline', async () => {
    const a = candidate('a');
    await settle();
    await clock.advance(2500);
    server.writes.length = 0;
    clock.stall(10_000);
    assert.throws(a.fence.check, 'before any timer has told');
    await clock.advance(0);
    assert.ok((await a.ended) instanceof LeadershipLostError);
    assert.deepEqual(server.writes, []);
    await a.elector.release();
    assert.deepEqual(server.writes, [], "a lease that may be another's is not given back");
  });

  it('is over as soon as another holder is seen', async () => {
    const a = candidate('a');
    await settle();
    server.write({ holderIdentity: 'z', leaseDurationSeconds: 15 });
    await clock.advance(2000);
    assert.ok((await a.ended) instanceof LeadershipLostError);
    assert.equal(server.holder(), 'z');
  });

  it('goes on when somebody deletes the lease', async () => {
    const a = candidate('a');
    await settle();
    server.lease = undefined;
    await clock.advance(4000);
    assert.ok(a.leads());
    assert.equal(server.holder(), 'a');
  });

  it('gives the lease to one of several that want it at the same moment', async () => {
    server.write(releasedRecord({ apiVersion: '', kind: '', metadata: { ...REF, uid: '', resourceVersion: '' } }, 0));
    const all = ['a', 'b', 'c'].map(candidate);
    await settle();
    assert.equal(all.filter(({ leads }) => leads()).length, 1);
    await clock.advance(60_000);
    assert.equal(all.filter(({ leads }) => leads()).length, 1);
  });

  it('takes nothing once it was told to stop', async () => {
    server.write({ holderIdentity: 'z', leaseDurationSeconds: 15 });
    const a = candidate('a');
    await clock.advance(3000);
    a.stop();
    assert.equal(await a.acquired, false);
    await clock.advance(60_000);
    assert.deepEqual(server.writes, []);
  });

  it('says which rights it lacks, and no longer when it has them', async () => {
    server.failure = apiError(403, 'Forbidden');
    const a = candidate('a');
    await settle();
    assert.equal(a.elector.problem, 'may not read or write Lease default/operator: grant the rights');
    server.failure = undefined;
    await clock.advance(2000);
    assert.equal(a.elector.problem, undefined);
    assert.ok(a.leads());
  });
});
