import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Deployment, DeploymentStrategy, Pod, PodStatus } from '../live-objects.ts';
import { type SpecParts, sampleDeployment, samplePod, sampleService } from '../sample.ts';
import { decideRollout, REPLACE, SURGE } from './rollout-strategy.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const gpu = { count: 1, resourceName: 'nvidia.com/gpu' };
const READY: PodStatus = { conditions: [{ type: 'Ready', status: 'True' }] };

/** One of the pods of a template. */
function pod(template: string, status: PodStatus): Pod {
  const { metadata, ...rest } = samplePod(`${template}-${JSON.stringify(status).length}`, status);
  return { ...rest, metadata: { ...metadata, labels: { 'pod-template-hash': template } } };
}

function waiting(seconds: number, message = '0/2 nodes are available: 2 Insufficient nvidia.com/gpu.'): Pod {
  const lastTransitionTime = new Date(NOW - seconds * 1000).toISOString();
  return pod('new', {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }],
  });
}

interface Rollout {
  readonly size: number;
  readonly strategy?: DeploymentStrategy;
  readonly updated?: number;
  readonly replicas?: number;
}

function deployment({ size, strategy = SURGE, updated = 1, replicas = size + 1 }: Rollout): Deployment {
  const live = sampleDeployment({
    replicas: size,
    status: { observedGeneration: 2, replicas, updatedReplicas: updated },
  });
  return { ...live, spec: { ...live.spec, strategy } };
}

interface Case {
  readonly title: string;
  readonly spec?: SpecParts;
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  readonly expected: readonly [DeploymentStrategy, string, number?];
}

const old = pod('old', READY);
const loading = pod('new', {});
const failing = pod('old', {});

const cases: readonly Case[] = [
  { title: 'surges when there is nothing yet', deployment: undefined, pods: [], expected: [SURGE, 'Enough'] },
  {
    title: 'surges while new pods have nodes',
    deployment: deployment({ size: 2 }),
    pods: [loading, old, old],
    expected: [SURGE, 'Enough'],
  },
  {
    title: 'looks again when a new pod will have waited for 30 s',
    deployment: deployment({ size: 2 }),
    pods: [waiting(12), old, old],
    expected: [SURGE, 'Enough', 18_000],
  },
  {
    title: 'replaces after 30 s where another pod answers meanwhile',
    deployment: deployment({ size: 2 }),
    pods: [waiting(30), old, old],
    expected: [REPLACE, 'Replacing'],
  },
  {
    title: 'waits where the only pod would have to go',
    deployment: deployment({ size: 1 }),
    pods: [waiting(30), old],
    expected: [SURGE, 'Blocked'],
  },
  {
    title: 'replaces the only pod where the owner allows it',
    spec: { rollout: { allowInterruption: true } },
    deployment: deployment({ size: 1 }),
    pods: [waiting(30), old],
    expected: [REPLACE, 'Replacing'],
  },
  {
    title: 'replaces the only pod where it does not answer',
    deployment: deployment({ size: 1 }),
    pods: [waiting(30), failing],
    expected: [REPLACE, 'Replacing'],
  },
  {
    title: 'goes on replacing until the last old pod is gone, also as an operator that has just started',
    deployment: deployment({ size: 2, strategy: REPLACE, replicas: 2 }),
    pods: [loading, old],
    expected: [REPLACE, 'Replacing'],
  },
  {
    title: 'goes back to surging when it is done',
    deployment: deployment({ size: 2, strategy: REPLACE, replicas: 2, updated: 2 }),
    pods: [loading, loading],
    expected: [SURGE, 'Enough'],
  },
  {
    title: 'stops replacing when the size became one on the way',
    deployment: deployment({ size: 1, strategy: REPLACE, replicas: 2 }),
    pods: [waiting(5), old],
    expected: [SURGE, 'Blocked'],
  },
  {
    title: 'does not replace for lack of anything else',
    deployment: deployment({ size: 2 }),
    pods: [waiting(60, '0/2 nodes are available: 2 Insufficient memory.'), old, old],
    expected: [SURGE, 'Enough'],
  },
  {
    title: 'leaves a larger size that finds no GPU alone',
    deployment: deployment({ size: 2, replicas: 2, updated: 2 }),
    pods: [waiting(60), pod('new', READY)],
    expected: [SURGE, 'Enough'],
  },
  {
    title: 'never replaces with Surge',
    spec: { rollout: { strategy: 'Surge' } },
    deployment: deployment({ size: 2 }),
    pods: [waiting(60), old, old],
    expected: [SURGE, 'Enough'],
  },
  {
    title: 'always replaces with Replace',
    spec: { rollout: { strategy: 'Replace' } },
    deployment: deployment({ size: 1, replicas: 1 }),
    pods: [old],
    expected: [REPLACE, 'Enough'],
  },
];

describe('decideRollout', () => {
  for (const { title, spec, deployment: live, pods, expected } of cases) {
    it(title, () => {
      const { strategy, capacity, requeueAfterMs } = decideRollout(sampleService({ gpu, ...spec }), live, pods, NOW);
      const [wanted, wantedCapacity, wantedWait] = expected;
      assert.deepEqual([strategy, capacity, requeueAfterMs], [wanted, wantedCapacity, wantedWait]);
    });
  }

  it('does nothing of it without a GPU', () => {
    const { strategy } = decideRollout(sampleService(), deployment({ size: 2 }), [waiting(60), old], NOW);
    assert.deepEqual(strategy, SURGE);
  });
});
