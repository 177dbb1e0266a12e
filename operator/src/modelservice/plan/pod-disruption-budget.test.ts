import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { podDisruptionBudgetOf } from './pod-disruption-budget.ts';

const cases: readonly { readonly title: string; readonly spec: SpecParts; readonly budget: boolean }[] = [
  { title: 'two pods', spec: { scaling: { minReplicas: 2 } }, budget: true },
  { title: 'at least two', spec: { scaling: { minReplicas: 2, maxReplicas: 5 } }, budget: true },
  { title: 'two pods that are suspended', spec: { scaling: { minReplicas: 2 }, suspend: true }, budget: true },
  { title: 'one pod', spec: { scaling: { minReplicas: 1 } }, budget: false },
  { title: 'perhaps two', spec: { scaling: { minReplicas: 1, maxReplicas: 5 } }, budget: false },
  {
    title: 'two pods that the owner has a budget for',
    spec: {
      scaling: { minReplicas: 2 },
      availability: { podDisruptionBudget: { enabled: false, maxUnavailable: 1 } },
    },
    budget: false,
  },
];

describe('podDisruptionBudgetOf', () => {
  for (const { title, spec, budget } of cases) {
    it(`gives ${title} ${budget ? 'a' : 'no'} budget`, () => {
      assert.equal(podDisruptionBudgetOf(sampleService(spec)) !== undefined, budget);
    });
  }

  it('lets as many go at once as the manifest says', () => {
    const availability = { podDisruptionBudget: { enabled: true, maxUnavailable: '25%' } };
    const intent = podDisruptionBudgetOf(sampleService({ scaling: { minReplicas: 8 }, availability }));
    assert.deepEqual(intent?.spec, {
      selector: { matchLabels: { 'modelservice.dev/name': 'mnist' } },
      maxUnavailable: '25%',
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });
});
