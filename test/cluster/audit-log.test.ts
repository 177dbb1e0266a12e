import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type AuditEvent, describeAuditEvent, parseAuditLog, writesBy } from './audit-log.ts';

function eventOf(fields: Partial<AuditEvent>): AuditEvent {
  return {
    stage: 'ResponseComplete',
    verb: 'patch',
    requestURI: '/apis/apps/v1/namespaces/ns/deployments/web?force=true',
    user: { username: 'operator' },
    objectRef: { apiGroup: 'apps', resource: 'deployments', namespace: 'ns', name: 'web' },
    responseStatus: { code: 200 },
    requestReceivedTimestamp: '2026-01-01T00:00:00.000001Z',
    stageTimestamp: '2026-01-01T00:00:00.000002Z',
    ...fields,
  };
}

describe('parseAuditLog', () => {
  it('reads an event a line and leaves a line that is still being written', () => {
    const log = `${JSON.stringify(eventOf({ verb: 'get' }))}\n${JSON.stringify(eventOf({}))}\n{"stage":"Resp`;
    assert.deepEqual(
      parseAuditLog(log).map(({ verb }) => verb),
      ['get', 'patch'],
    );
  });

  it('finds nothing in an empty log', () => assert.deepEqual(parseAuditLog(''), []));
});

describe('writesBy', () => {
  for (const { because, event, counts } of [
    { because: 'a patch is a write, also one that changed nothing', event: eventOf({}), counts: true },
    {
      because: 'a refused write was sent all the same',
      event: eventOf({ responseStatus: { code: 403 } }),
      counts: true,
    },
    { because: 'a list is none', event: eventOf({ verb: 'list' }), counts: false },
    { because: 'a watch is none', event: eventOf({ verb: 'watch' }), counts: false },
    {
      because: 'a request counts once, not at each stage',
      event: eventOf({ stage: 'ResponseStarted' }),
      counts: false,
    },
    { because: 'somebody else wrote', event: eventOf({ user: { username: 'other' } }), counts: false },
  ]) {
    it(because, () => assert.deepEqual(writesBy([event], 'operator'), counts ? [event] : []));
  }
});

describe('describeAuditEvent', () => {
  it('says who was written to, and the answer', () => {
    const objectRef = { apiGroup: 'apps', resource: 'deployments', namespace: 'ns', name: 'web', subresource: 'scale' };
    assert.equal(describeAuditEvent(eventOf({ objectRef })), 'patch apps/deployments/scale ns/web -> 200');
  });
});
