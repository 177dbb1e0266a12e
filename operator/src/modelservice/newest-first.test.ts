import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { REVISION_LABEL } from './conventions.ts';
import type { Deployment, Pod } from './live-objects.ts';
import { newestFirst } from './newest-first.ts';

const EARLY = '2026-11-22T23:46:24Z';
const LATE = '2026-11-22T23:46:25Z';

function pod(name: string, revision: string, creationTimestamp: string): Pod {
  const metadata = { name, uid: name, resourceVersion: '1', labels: { [REVISION_LABEL]: revision }, creationTimestamp };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } };
}

function deployment(revision: string): Deployment {
  const template = { metadata: { labels: { [REVISION_LABEL]: revision } }, spec: { containers: [] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'mnist', uid: 'u', resourceVersion: '1' },
    spec: { template },
  };
}

describe('newestFirst', () => {
  for (const [title, pods, wanted, expected] of [
    ['begins with the youngest', [pod('a', 'one', EARLY), pod('b', 'one', LATE)], 'one', ['b', 'a']],
    ['tells pods of one second by their revision', [pod('a', 'one', LATE), pod('b', 'two', LATE)], 'two', ['b', 'a']],
    ['puts what was rolled back behind', [pod('a', 'one', EARLY), pod('b', 'two', LATE)], 'one', ['a', 'b']],
  ] as const) {
    it(title, () => {
      const names = newestFirst(pods, deployment(wanted)).map(({ metadata }) => metadata.name);
      assert.deepEqual(names, expected);
    });
  }

  it('goes by age alone where there is no Deployment', () => {
    const names = newestFirst([pod('a', 'one', EARLY), pod('b', 'two', LATE)], undefined).map(
      (each) => each.metadata.name,
    );
    assert.deepEqual(names, ['b', 'a']);
  });
});
