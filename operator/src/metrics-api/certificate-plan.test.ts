import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { type IssuedCertificate, issueCertificate } from '../runtime/issue-certificate.ts';
import { BACKDATED_MS, planCertificates } from './certificate-plan.ts';
import { type CertificateSet, certificatesIn, promoted, secretIntent, withIssued } from './certificate-secret.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const options = { dnsName: 'metrics.system.svc', lifetimeMs: 90 * DAY_MS };
const start = Date.UTC(2026, 0, 1);
const nothing: CertificateSet = { current: undefined, next: undefined, authorities: [] };

const issue = (now: number, dnsName = options.dnsName): Promise<IssuedCertificate> =>
  issueCertificate({
    commonName: dnsName,
    dnsNames: [dnsName],
    usage: 'serverAuth',
    notBefore: now - BACKDATED_MS,
    notAfter: now + options.lifetimeMs,
  });

describe('certificates', () => {
  const renewal = start + 60 * DAY_MS;
  let first: CertificateSet;
  let both: CertificateSet;
  let foreign: CertificateSet;
  before(async () => {
    const [one, two, other] = await Promise.all([issue(start), issue(renewal), issue(start, 'other.svc')]);
    first = withIssued(nothing, one, 'current', start);
    both = withIssued(first, two, 'next', renewal);
    foreign = withIssued(nothing, other, 'current', start);
  });
  const plan = (set: CertificateSet, now: number, published = true) => planCertificates(set, published, now, options);

  it('are made at once where there are none, or none that can be used', () => {
    const issueNow = { action: 'issue-current' };
    assert.deepEqual(plan(nothing, start), issueNow);
    assert.deepEqual(plan(first, start + 90 * DAY_MS), issueNow, 'it is over');
    assert.deepEqual(plan(foreign, start), issueNow, 'it is for another name');
    const [cert, key] = [first.current?.cert ?? '', foreign.current?.key ?? ''];
    assert.deepEqual(plan({ ...first, current: { cert, key } }, start), issueNow, 'it is for another key');
    assert.deepEqual(plan({ ...first, current: { cert: 'x', key: 'y' } }, start), issueNow, 'it is none');
  });

  it('are kept for two thirds of their time, and then get a successor', () => {
    assert.deepEqual(plan(first, start), { action: 'keep', forMs: 60 * DAY_MS });
    assert.deepEqual(plan(first, renewal), { action: 'issue-next' });
  });

  it('change places once the API servers had ten minutes to learn of the new authority', () => {
    assert.deepEqual(plan(both, renewal), { action: 'keep', forMs: 10 * MINUTE_MS });
    assert.deepEqual(plan(both, renewal + 10 * MINUTE_MS), { action: 'promote' });
  });

  it('do not change places while the APIService does not have the new authority, unless time is up', () => {
    assert.deepEqual(plan(both, renewal + DAY_MS, false), { action: 'keep', forMs: 30_000 });
    assert.deepEqual(plan(both, start + 90 * DAY_MS, false), { action: 'promote' });
  });

  it('are vouched for by old and new authority while either may be served, and later by the new alone', () => {
    assert.equal(both.authorities.length, 2);
    const after = promoted(both, renewal + 10 * MINUTE_MS);
    assert.deepEqual(after, { current: both.next, next: undefined, authorities: both.authorities });
    assert.deepEqual(promoted(both, start + 91 * DAY_MS).authorities, both.authorities.slice(1));
  });

  it('come back from the Secret as they went in', () => {
    const metadata = { name: 's', namespace: 'n', uid: 'u', resourceVersion: '7' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata };
    for (const set of [first, both]) {
      const intent = secretIntent(secret, set);
      assert.equal(intent.metadata.resourceVersion, '7');
      assert.deepEqual(certificatesIn({ ...secret, data: intent.data as Readonly<Record<string, string>> }), set);
    }
  });

  it('are signed by an authority of their own, for servers, for the one name', () => {
    const [ca, cert] = [
      new X509Certificate(first.authorities[0] ?? ''),
      new X509Certificate(first.current?.cert ?? ''),
    ];
    assert.ok(ca.ca);
    assert.ok(ca.verify(ca.publicKey));
    assert.ok(cert.checkIssued(ca) && cert.verify(ca.publicKey) && !cert.ca);
    assert.deepEqual([cert.subjectAltName, cert.keyUsage], [`DNS:${options.dnsName}`, ['1.3.6.1.5.5.7.3.1']]);
  });
});
