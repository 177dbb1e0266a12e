import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { KubeApi } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import { DEPLOYMENT } from '../kube/resources.ts';
import type { Intent } from '../kube/types.ts';
import { planWithDevices } from './claimed-devices.ts';
import type { Plan } from './plan/plan.ts';
import { SURGING } from './plan/rollout-strategy.ts';
import { NOT_TO_ZERO } from './plan/scale-to-zero.ts';
import { sampleDeployment, sampleService } from './sample.ts';

const CLAIMS = [{ name: 'gpu' }];
const service = sampleService({
  gpu: { resourceName: 'nvidia.com/gpu', resourceClaim: 'gpu' },
  pod: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] },
});
const plain = sampleDeployment();
const claiming = {
  ...plain,
  spec: {
    template: { spec: { resourceClaims: CLAIMS, containers: [{ name: 'server', resources: { claims: CLAIMS } }] } },
  },
};
const intent: Intent = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'mnist' } };

interface Case {
  readonly title: string;
  readonly live?: Plan['children'][number]['live'];
  readonly versions: readonly string[];
  /** What the dry run answers. */
  readonly answer?: unknown;
  readonly made: boolean;
  readonly asked: readonly string[];
}

const cases: readonly Case[] = [
  { title: 'not where the API is not served', versions: [], made: false, asked: ['versions'] },
  {
    title: 'not where the API server drops the claims',
    versions: ['v1beta1'],
    answer: plain,
    made: false,
    asked: ['versions', 'dry run'],
  },
  { title: 'where it keeps them', versions: ['v1'], answer: claiming, made: true, asked: ['versions', 'dry run'] },
  { title: 'where they are there already, without a question', live: claiming, versions: [], made: true, asked: [] },
  {
    title: 'where it refuses something else, so that this is reported',
    versions: ['v1'],
    answer: new ApiError({ attempt: 'try', code: 422, reason: 'Invalid', statusMessage: 'spec.selector' }),
    made: true,
    asked: ['versions', 'dry run'],
  },
];

describe('planWithDevices', () => {
  for (const { title, live, versions, answer, made, asked } of cases) {
    it(`makes the pods ${title}`, async () => {
      const questions: string[] = [];
      const api = {
        servedVersions: async () => {
          questions.push('versions');
          return versions;
        },
        apply: async (_type: unknown, _intent: unknown, options: { readonly dryRun?: boolean }) => {
          assert.equal(options.dryRun, true);
          questions.push('dry run');
          if (answer instanceof Error) throw answer;
          return answer;
        },
      } as unknown as KubeApi;
      const plan: Plan = {
        prune: [],
        children: [{ type: DEPLOYMENT, intent, live }],
        size: { replicas: 2 },
        scaleToZero: NOT_TO_ZERO,
        rollout: SURGING,
        revision: undefined,
        gatewayPort: undefined,
        problems: [],
      };
      const adapted = await planWithDevices(plan, service, api, new AbortController().signal);
      assert.deepEqual(questions, asked);
      if (made) assert.equal(adapted, plan);
      else {
        assert.deepEqual([adapted.children, adapted.size], [[], undefined]);
        assert.deepEqual(
          adapted.problems.map(({ kind, reason }) => [kind, reason]),
          [['Deployment', 'ResourceClaimsNotServed']],
        );
      }
    });
  }
});
