import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { ManagedFieldsEntry } from '../../kube/types.ts';
import type { Deployment } from '../live-objects.ts';
import { type SpecParts, sampleDeployment, sampleService } from '../sample.ts';
import { type AppliedSize, decideReplicas } from './replicas.ts';
import type { ZeroStep } from './scale-to-zero.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

const ours: readonly ManagedFieldsEntry[] = [
  { manager: 'modelservice-replicas', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
];
const remembering = (size: string): Readonly<Record<string, string>> => ({
  'modelservice.dev/resume-replicas': size,
});

const mayIdle: SpecParts = { scaling: { minReplicas: 0, maxReplicas: 5, idleAfter: '10m' } };
const IDLE_SINCE = '2026-01-01T11:00:00.000Z';
const idle = { 'modelservice.dev/idle-since': IDLE_SINCE };

interface Case {
  readonly title: string;
  readonly spec: SpecParts;
  /** Pods that the status told last. */
  readonly told?: number;
  readonly deployment: Deployment | undefined;
  readonly step?: ZeroStep;
  /** Somebody else's autoscaler sets the size. */
  readonly outside?: boolean;
  /** A number: that one, and nothing beside it. */
  readonly size: AppliedSize | number | undefined;
  readonly resume?: number;
  readonly because: string;
}

const cases: readonly Case[] = [
  {
    title: 'a fixed size',
    spec: { scaling: { minReplicas: 3 } },
    deployment: sampleDeployment({ replicas: 7 }),
    size: 3,
    because: 'a fixed size is ours, whatever the Deployment has',
  },
  {
    title: 'a new scaled service',
    spec: { scaling: { minReplicas: 2, maxReplicas: 5 } },
    deployment: undefined,
    size: 2,
    because: 'the autoscaler should not have to begin at the default of 1',
  },
  {
    title: 'a new service that may go to zero',
    spec: { scaling: { minReplicas: 0, maxReplicas: 5, idleAfter: '10m' } },
    deployment: undefined,
    size: 1,
    because: 'whoever applies it wants to see it work',
  },
  {
    title: 'a scaled service whose Deployment was deleted',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    told: 4,
    deployment: undefined,
    size: 4,
    because: 'the last known size is still wanted',
  },
  {
    title: 'a scaled service that was larger than its bounds are now',
    spec: { scaling: { minReplicas: 1, maxReplicas: 3 } },
    told: 9,
    deployment: undefined,
    size: 3,
    because: 'the bounds hold',
  },
  {
    title: 'a scaled service that was interrupted right after its creation',
    spec: { scaling: { minReplicas: 4, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 1, generation: 1 }),
    size: 4,
    because: 'the size of 1 is nobody’s decision',
  },
  {
    title: 'a scaled service at work',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 4 }),
    size: undefined,
    because: 'the number is the autoscaler’s',
  },
  {
    title: 'a scaled service beyond its bounds',
    spec: { scaling: { minReplicas: 1, maxReplicas: 2 } },
    deployment: sampleDeployment({ replicas: 4, managedFields: ours }),
    size: undefined,
    because: 'the autoscaler itself brings it back within them',
  },
  {
    title: 'a scaled service that somebody set to zero',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 0 }),
    size: undefined,
    because: 'a zero set by hand stays',
  },
  {
    title: 'suspending a scaled service',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 }, suspend: true },
    deployment: sampleDeployment({ replicas: 4 }),
    size: 0,
    resume: 4,
    because: 'the size has to be remembered before it is lost',
  },
  {
    title: 'a suspended service',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 }, suspend: true },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: remembering('4') }),
    size: 0,
    resume: 4,
    because: 'what is remembered stays',
  },
  {
    title: 'a service that is suspended from the beginning',
    spec: { scaling: { minReplicas: 2, maxReplicas: 5 }, suspend: true },
    deployment: undefined,
    size: 0,
    resume: 2,
    because: 'the least is what would have been made',
  },
  {
    title: 'resuming a scaled service',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: remembering('4') }),
    size: 4,
    resume: 4,
    because: 'a crash before the wake must not forget the size',
  },
  {
    title: 'a resumed service',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 4, managedFields: ours, annotations: remembering('4') }),
    size: undefined,
    because: 'it is done and the autoscaler’s again',
  },
  {
    title: 'a memory that somebody garbled',
    spec: { scaling: { minReplicas: 2, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: remembering('many') }),
    size: 2,
    because: 'the least is safe',
  },
  {
    title: 'a service at a fixed zero that is scaled from now on',
    spec: { scaling: { minReplicas: 1, maxReplicas: 5 } },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours }),
    size: 1,
    because: 'the zero was ours, and an autoscaler never leaves zero by itself',
  },
  {
    title: 'a service that nobody asks',
    spec: mayIdle,
    deployment: sampleDeployment({ replicas: 3 }),
    step: 'GoToZero',
    size: { replicas: 0, idleSince: '2026-01-01T12:00:00.000Z', resourceVersion: '1' },
    because: 'a decision on another Deployment than the live one must fail',
  },
  {
    title: 'a service at zero since nobody asks',
    spec: mayIdle,
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: idle }),
    step: 'StayAtZero',
    size: { replicas: 0, idleSince: IDLE_SINCE },
    because: 'nothing changes and nothing is written',
  },
  {
    title: 'waking',
    spec: mayIdle,
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: idle }),
    step: 'Wake',
    size: { replicas: 1, idleSince: IDLE_SINCE },
    because: 'a restart on the way must know that the gateway holds requests',
  },
  {
    title: 'a waking service that somebody made larger',
    spec: mayIdle,
    deployment: sampleDeployment({ replicas: 4, annotations: idle }),
    step: 'KeepWaking',
    size: { replicas: 4, idleSince: IDLE_SINCE, resourceVersion: '1' },
    because: 'the number is theirs',
  },
  {
    title: 'the end of waking',
    spec: mayIdle,
    deployment: sampleDeployment({ replicas: 2, managedFields: ours, annotations: idle }),
    step: 'EndWaking',
    size: { replicas: 2, resourceVersion: '1' },
    because: 'the annotation goes and the number stays',
  },
  {
    title: 'a fixed size that somebody else scales',
    spec: { scaling: { minReplicas: 2 } },
    deployment: sampleDeployment({ replicas: 5, managedFields: ours }),
    outside: true,
    size: undefined,
    because: 'two that write one number never come to rest',
  },
  {
    title: 'a fixed size that somebody else scales, whose Deployment was deleted',
    spec: { scaling: { minReplicas: 2 } },
    told: 5,
    deployment: undefined,
    outside: true,
    size: 5,
    because: 'the last known size is still wanted',
  },
  {
    title: 'resuming a fixed size that somebody else scales',
    spec: { scaling: { minReplicas: 2 } },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: remembering('5') }),
    outside: true,
    size: 5,
    resume: 5,
    because: 'the zero was ours, and an autoscaler never leaves zero by itself',
  },
  {
    title: 'a zero that somebody else set',
    spec: { scaling: { minReplicas: 2 } },
    deployment: sampleDeployment({ replicas: 0 }),
    outside: true,
    size: undefined,
    because: 'KEDA goes to zero and comes back',
  },
  {
    title: 'suspending a service at zero since nobody asks',
    spec: { ...mayIdle, suspend: true },
    deployment: sampleDeployment({ replicas: 0, managedFields: ours, annotations: idle }),
    size: 0,
    resume: 1,
    because: 'it is not to be woken, and comes back with one pod',
  },
];

describe('decideReplicas', () => {
  for (const { title, spec, told = 0, deployment, step, outside, size, resume, because } of cases) {
    it(`${title}: ${because}`, () => {
      const decision = decideReplicas(sampleService(spec, { replicas: told }), deployment, step, NOW, outside);
      const applied = typeof size === 'number' ? { replicas: size } : size;
      assert.deepEqual(decision, { size: applied, resumeReplicas: resume });
    });
  }

  it('never decides on a size out of bounds', () => {
    const size = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(size, size, size, fc.boolean(), (a, b, live, zeroIsOurs) => {
        const [minReplicas, maxReplicas] = [Math.max(1, Math.min(a, b)), Math.max(1, a, b)];
        const deployment = sampleDeployment({
          replicas: live,
          annotations: remembering(String(a + b)),
          ...(zeroIsOurs ? { managedFields: ours } : {}),
        });
        const service = sampleService({ scaling: { minReplicas, maxReplicas } });
        const { size: applied } = decideReplicas(service, deployment, undefined, NOW);
        assert.ok(applied === undefined || (applied.replicas >= minReplicas && applied.replicas <= maxReplicas));
      }),
    );
  });
});
