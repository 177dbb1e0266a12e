import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { ModelFailure } from '../failures.ts';
import { checkWeightsPath } from './safe-path.ts';

describe('checkWeightsPath', () => {
  for (const path of ['group1-shard1of2.bin', 'a/b/c.bin', 'with space.bin', 'ü.bin', '..hidden', 'a..b/c']) {
    it(`takes ${path}`, () => assert.equal(checkWeightsPath(path), path));
  }

  const refused: { path: string; because: RegExp }[] = [
    { path: '', because: /is empty/ },
    { path: '/etc/passwd', because: /is absolute/ },
    { path: '../w.bin', because: /is not plain/ },
    { path: 'a/../../w.bin', because: /is not plain/ },
    { path: 'a//w.bin', because: /is not plain/ },
    { path: './w.bin', because: /is not plain/ },
    { path: 'a\\..\\w.bin', because: /has a backslash/ },
    { path: 'https://host/w.bin', because: /is a URL/ },
    { path: 'w\n.bin', because: /has a control character/ },
    { path: 'w\u0000', because: /has a control character/ },
    { path: 'model.json', because: /another file of the model has/ },
    { path: 'warmup.json', because: /another file of the model has/ },
  ];
  for (const { path, because } of refused) {
    it(`refuses ${JSON.stringify(path)}`, () =>
      assert.throws(
        () => checkWeightsPath(path),
        (error) => error instanceof ModelFailure && error.reason === 'InvalidModel' && because.test(error.message),
      ));
  }

  it('takes no path that leads out of the folder', () => {
    const segment = fc.oneof(fc.constantFrom('..', '.', '', 'a', '\\', '/'), fc.string());
    fc.assert(
      fc.property(
        fc.array(segment).map((segments) => segments.join('/')),
        (path) => {
          try {
            checkWeightsPath(path);
          } catch {
            return;
          }
          assert.ok(join('/model', path).startsWith('/model/'), path);
        },
      ),
    );
  });
});
