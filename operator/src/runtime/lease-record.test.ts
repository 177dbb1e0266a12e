import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  holderOf,
  type Lease,
  type LeaseSpec,
  observed,
  recordOf,
  releasedRecord,
  runsOutAtMs,
} from './lease-record.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const AT = '2026-01-01T12:00:00.000000Z';
const EARLIER = '2026-01-01T11:00:00.000000Z';
const wanted = { leaseDurationMs: 15_000, now: NOW };
const HELD = { holderIdentity: 'a', leaseDurationSeconds: 20, acquireTime: EARLIER, renewTime: EARLIER };

function leaseWith(spec: LeaseSpec | undefined, resourceVersion = '1'): Lease {
  const metadata = { namespace: 'default', name: 'operator', uid: 'u', resourceVersion };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, ...(spec === undefined ? {} : { spec }) };
}

describe('the record of a lease', () => {
  const records: readonly { title: string; lease: Lease | undefined; record: LeaseSpec }[] = [
    {
      title: 'a new lease',
      lease: undefined,
      record: { holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime: AT, renewTime: AT, leaseTransitions: 0 },
    },
    {
      title: 'a renewal keeps when it was taken',
      lease: leaseWith({ ...HELD, leaseTransitions: 3 }),
      record: { ...HELD, leaseDurationSeconds: 15, renewTime: AT, leaseTransitions: 3 },
    },
    {
      title: 'one that goes to another holder counts',
      lease: leaseWith({ ...HELD, holderIdentity: 'b', leaseTransitions: 3 }),
      record: { holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime: AT, renewTime: AT, leaseTransitions: 4 },
    },
    {
      title: 'one that somebody made empty',
      lease: leaseWith(undefined),
      record: { holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime: AT, renewTime: AT, leaseTransitions: 1 },
    },
  ];
  for (const { title, lease, record } of records) {
    it(title, () => assert.deepEqual(recordOf('a', lease, wanted), record));
  }

  it('is given back to nobody, for the shortest time', () => {
    const record = releasedRecord(leaseWith({ ...HELD, leaseTransitions: 3 }), NOW);
    assert.deepEqual(record, {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: AT,
      renewTime: AT,
      leaseTransitions: 3,
    });
    assert.equal(holderOf(leaseWith(record)), undefined);
  });

  it('runs out by when it was last seen to change, whatever its times say', () => {
    const first = observed(undefined, leaseWith({ ...HELD, renewTime: '1999-01-01T00:00:00.000000Z' }), 1000);
    assert.equal(runsOutAtMs(first, 15_000), 21_000);
    const labelled = observed(
      first,
      { ...first.lease, metadata: { ...first.lease.metadata, resourceVersion: '2' } },
      5000,
    );
    assert.equal(runsOutAtMs(labelled, 15_000), 21_000, 'another label is no sign of life');
    const renewed = observed(labelled, leaseWith({ ...HELD, renewTime: AT }), 9000);
    assert.equal(runsOutAtMs(renewed, 15_000), 29_000);
    const withoutDuration = observed(undefined, leaseWith({ holderIdentity: 'b' }), 1000);
    assert.equal(runsOutAtMs(withoutDuration, 15_000), 16_000);
  });
});
