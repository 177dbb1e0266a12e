import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { before, describe, it } from 'mocha';
import { createManifestCheck, type ManifestCheck } from '../../operator/src/cli/manifest-schema.ts';
import { REPOSITORY } from '../../operator/src/cli/repository.ts';
import { wrongManifests } from '../integration/support/wrong-manifests.ts';

describe('modelservice run refuses what the API server refuses, in the same words', () => {
  let check: ManifestCheck;
  before(() => {
    check = createManifestCheck(load(readFileSync(REPOSITORY.crd, 'utf8')));
  });
  for (const { title, manifest, field, fix } of wrongManifests) {
    it(title, () => {
      const problems = check(structuredClone(manifest)).problems ?? [];
      const written = field.replace(/\[([a-z].*)\]/, '.$1');
      const problem = problems.find((one) => one.field === written || one.field.endsWith(`.${written}`));
      assert.match(problem?.message ?? `nothing about ${field}: ${JSON.stringify(problems)}`, fix);
    });
  }
});
