import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { admissionProblem } from './admission-problem.ts';

/** What the API server says, the reason, and the message. */
const cases: readonly (readonly [string, string, RegExp])[] = [
  [
    'pods "mnist-5d8-x7k2p" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4',
    'QuotaExceeded',
    /^ResourceQuota team admits no more pods: pods=1 was requested, and the limit is pods=4\. Have it raised, or lower/,
  ],
  [
    'pods "a" is forbidden: exceeded quota: q, requested: limits.cpu=2,limits.memory=1Gi, used: limits.cpu=1,limits.memory=0, limited: limits.cpu=2,limits.memory=512Mi',
    'QuotaExceeded',
    /limits\.cpu=2,limits\.memory=1Gi was requested, and the limit is limits\.cpu=2,limits\.memory=512Mi\./,
  ],
  [
    'pods "a" is forbidden: failed quota: compute: must specify limits.cpu for: server; limits.memory for: server',
    'QuotaExceeded',
    /^ResourceQuota compute admits only pods that say what they use: set limits\.cpu, limits\.memory in spec\.server\.resources\.$/,
  ],
  [
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
    'PodSecurityViolation',
    /level restricted:latest: host namespaces \(hostNetwork=true\)\. Take out/,
  ],
  [
    'pods "a" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
    'LimitRangeViolation',
    /refuses the pods: maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Pod is 1Gi, but limit is 2Gi\. Change/,
  ],
  [
    'pods "a-" is forbidden: error looking up service account ns/vision: serviceaccount "vision" not found',
    'ServiceAccountNotFound',
    /no ServiceAccount vision: create it/,
  ],
  ['pods "a-" is forbidden: no PriorityClass with name high was found', 'PriorityClassNotFound', /PriorityClass high/],
  ['pods "a" is forbidden: pod rejected: RuntimeClass "kata" not found', 'RuntimeClassNotFound', /RuntimeClass kata/],
  [
    'admission webhook "policy.example.com" denied the request: no.',
    'PodsRefused',
    /^The API server admits no pods: admission webhook "policy\.example\.com" denied the request: no\.$/,
  ],
  ['pods "mnist-5d8-x7k2p" is forbidden: because', 'PodsRefused', /^The API server admits no pods: because\.$/],
];

describe('admissionProblem', () => {
  for (const [said, reason, message] of cases) {
    it(`tells "${said.slice(0, 60)}…" as ${reason}`, () => {
      const problem = admissionProblem(said);
      assert.equal(problem.reason, reason);
      assert.match(problem.message, message);
    });
  }
});
