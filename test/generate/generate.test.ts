import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'mocha';
import { render } from './render.ts';
import { targets } from './targets.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('generated files', () => {
  for (const target of targets) {
    for (const output of target.outputs) {
      it(`${output} is what ${target.schema} says`, async () => {
        const expected = await render(target, await readFile(path.join(root, target.schema), 'utf8'));
        const actual = await readFile(path.join(root, output), 'utf8');
        assert.equal(actual, expected, `${output} differs from its schema: run \`npm run generate\` and commit it`);
      }).timeout(30_000);
    }
  }
});

describe('crds/modelservice.yaml', () => {
  it('is smaller than 100 kB', async () => {
    const { size } = await stat(path.join(root, 'crds/modelservice.yaml'));
    assert.ok(size < 100_000, `${size} bytes`);
  });
});
