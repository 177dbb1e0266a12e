import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { mochaArguments } from './mocha-arguments.ts';

const CONFIG = ['--config', 'test/mocha-e2e.json'];
const ALL = 'test/e2e/*.test.ts';

describe('mochaArguments', () => {
  for (const [title, args, expected] of [
    ['runs all suites of a kind', [], [ALL]],
    ['runs a named file alone', ['test/e2e/cpu.test.ts'], ['test/e2e/cpu.test.ts']],
    ['takes options of mocha for all suites', ['--grep', 'once'], ['--grep', 'once', ALL]],
    ['takes options beside a file', ['a.test.ts', '--bail'], ['a.test.ts', '--bail']],
  ] as const) {
    it(title, () => assert.deepEqual(mochaArguments('e2e', args, false), [...CONFIG, ...expected]));
  }

  for (const [title, args, sharedCluster, expected] of [
    ['in two processes', [], false, true],
    ['in one where they share a cluster', [], true, false],
    ['in one where files are named', ['test/integration/crd.test.ts'], false, false],
  ] as const) {
    it(`runs integration suites ${title}`, () => {
      assert.equal(mochaArguments('integration', args, sharedCluster).includes('--parallel'), expected);
    });
  }

  it('refuses a kind that there is not', () => {
    assert.throws(() => mochaArguments('units', [], false), /no "units" suites: write unit, integration, e2e/);
  });
});
