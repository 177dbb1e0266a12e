import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Pod } from '../live-objects.ts';
import type { ModelInfo } from '../model-info.ts';
import { readyPod, samplePod, sampleService } from '../sample.ts';
import type { RevisionStatus } from '../types.generated.ts';
import { contentProblem, revisionOf } from './revision.ts';

function of(revision: string, pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, labels: { 'modelservice.dev/revision': revision } } };
}

const info = new Map<string, ModelInfo>(['a', 'b', 'c'].map((uid) => [uid, { digest: `sha256:${uid}` }]));

interface Case {
  readonly title: string;
  readonly before?: RevisionStatus;
  /** Newest first. */
  readonly pods: readonly Pod[];
  readonly revision?: string | undefined;
  readonly expected: RevisionStatus | undefined;
  readonly changed?: boolean;
}

const cases: readonly Case[] = [
  {
    title: 'nothing but what is wanted before a pod is ready',
    pods: [of('2', samplePod('a'))],
    expected: { wanted: '2' },
  },
  {
    title: 'the content that the first pod has loaded',
    pods: [of('2', readyPod('a'))],
    expected: { wanted: '2', ready: '2', digest: 'sha256:a' },
  },
  {
    title: 'no content of a pod that has not told',
    pods: [of('2', readyPod('silent'))],
    expected: { wanted: '2', ready: '2' },
  },
  {
    title: 'the old revision while one of its pods answers',
    before: { wanted: '1', ready: '1', digest: 'sha256:b' },
    pods: [of('2', readyPod('a')), of('1', readyPod('b'))],
    expected: { wanted: '2', ready: '1', digest: 'sha256:a' },
  },
  {
    title: 'the revision that answered last while no pod does',
    before: { wanted: '2', ready: '1' },
    pods: [of('2', samplePod('a'))],
    expected: { wanted: '2', ready: '1' },
  },
  {
    title: 'the first content, whatever a later pod loads',
    before: { wanted: '2', ready: '2', digest: 'sha256:a' },
    pods: [of('2', readyPod('b')), of('2', readyPod('a'))],
    expected: { wanted: '2', ready: '2', digest: 'sha256:a' },
    changed: true,
  },
  {
    title: 'the first content after all of its pods are gone',
    before: { wanted: '2', ready: '2', digest: 'sha256:a' },
    pods: [of('2', readyPod('b'))],
    expected: { wanted: '2', ready: '2', digest: 'sha256:a' },
    changed: true,
  },
  {
    title: 'the oldest of two contents that it learns of at once',
    pods: [of('2', readyPod('b')), of('2', readyPod('a'))],
    expected: { wanted: '2', ready: '2', digest: 'sha256:a' },
    changed: true,
  },
  {
    title: 'what it told before where no pods can be made',
    before: { wanted: '2', ready: '2' },
    pods: [],
    revision: undefined,
    expected: { wanted: '2', ready: '2' },
  },
];

describe('revisionOf', () => {
  for (const { title, before, pods, expected, changed = false, ...input } of cases) {
    it(`tells ${title}`, () => {
      const service = sampleService({}, before === undefined ? {} : { revision: before });
      const revision = 'revision' in input ? input.revision : '2';
      const told = revisionOf({ service, pods, revision }, info);
      assert.deepEqual(told, expected);
      const problem = contentProblem({ service, pods, revision }, told, info);
      assert.equal(problem?.reason, changed ? 'ContentChanged' : undefined);
    });
  }
});
