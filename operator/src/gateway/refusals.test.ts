import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ModelService } from './contract.ts';
import { holdRefusal, stateRefusal } from './refusals.ts';

const found = (status: ModelService['status'], change: object = {}): ModelService => ({
  apiVersion: 'modelservice.dev/v1alpha1',
  kind: 'ModelService',
  metadata: { namespace: 'n', name: 'digits', uid: 'u', resourceVersion: '1' },
  ...(status === undefined ? {} : { status }),
  ...change,
});
const ready = (reason: string, message: string) => [{ type: 'Ready', status: 'False', reason, message }];
const suspended = { conditions: ready('Suspended', 'Set it to false.'), scaling: { state: 'Suspended' } };

describe('a request for a service without pods', () => {
  for (const { title, service } of [
    { title: 'is at zero because it was idle', service: found({ scaling: { state: 'Idle' } }) },
    { title: 'is being woken', service: found({ scaling: { state: 'Waking' } }) },
    { title: 'goes to zero just now', service: found({ scaling: { state: 'Autoscaled' } }) },
    { title: 'has no status yet', service: found(undefined) },
  ]) {
    it(`is held where the service ${title}`, () => {
      assert.equal(stateRefusal('n/digits', service), undefined);
    });
  }

  for (const { title, service, message } of [
    { title: 'is not there', service: undefined, message: 'there is no ModelService n/digits any more' },
    {
      title: 'is being deleted',
      service: { ...found({}), metadata: { ...found({}).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      message: 'there is no ModelService n/digits any more',
    },
    {
      title: 'is suspended',
      service: found(suspended),
      message: 'ModelService n/digits has no pods: Suspended: Set it to false.',
    },
    {
      title: 'was suspended a moment ago',
      service: found(
        { conditions: ready('Idle', 'Nobody asked.'), scaling: { state: 'Idle' } },
        { spec: { suspend: true } },
      ),
      message: 'ModelService n/digits has no pods: spec.suspend is true',
    },
    {
      title: 'was set to zero by hand',
      service: found({ conditions: ready('ScaledToZero', 'Scale it up.'), scaling: { state: 'ScaledToZero' } }),
      message: 'ModelService n/digits has no pods: ScaledToZero: Scale it up.',
    },
  ]) {
    it(`is refused where the service ${title}`, () => {
      const { status, message: said, retryAfterSeconds } = stateRefusal('n/digits', service) ?? {};
      assert.deepEqual([status, said, retryAfterSeconds], [503, message, undefined]);
    });
  }

  it('gets the reason that the service gives when it has waited too long', () => {
    const service = found({ conditions: ready('Unschedulable', 'No node has a GPU left.') });
    const refusal = holdRefusal('n/digits', service, 'deadline');
    assert.match(refusal.message, /did not become ready in time: Unschedulable: No node has a GPU left\.$/);
    assert.ok(refusal.retryAfterSeconds);
    assert.ok(holdRefusal('n/digits', service, 'full').retryAfterSeconds);
  });
});
