import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { modelDigest } from './digest.ts';

interface Vector {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly digest: string;
}

const file = new URL('../../test-vectors/digest.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: readonly Vector[] };

describe('modelDigest', () => {
  for (const { name, files, digest } of vectors) {
    it(`agrees with the vector: ${name}`, () => {
      const hashed = Object.entries(files).map(([path, text]) => ({ path, sha256: sha256(text) }));
      assert.equal(modelDigest(hashed), digest);
      assert.equal(modelDigest(hashed.toReversed()), digest);
    });
  }

  it('changes with every path and every content', () => {
    const files = fc.uniqueArray(fc.record({ path: fc.string({ minLength: 1 }), sha256: fc.string().map(sha256) }), {
      selector: ({ path }) => path,
      minLength: 1,
    });
    fc.assert(
      fc.property(files, ([first, ...rest]) => {
        assert.ok(first);
        const digest = modelDigest([first, ...rest]);
        assert.notEqual(modelDigest([{ ...first, sha256: sha256(`${first.sha256}x`) }, ...rest]), digest);
        assert.notEqual(modelDigest([{ ...first, path: `${first.path}\u{10ffff}x` }, ...rest]), digest);
        assert.notEqual(modelDigest(rest), digest);
      }),
    );
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
