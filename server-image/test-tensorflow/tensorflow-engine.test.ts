/**
 * What the other engines' tests show, on the native engine, which `npm run build:tensorflow` builds first; and that its
 * answers are those of the plain one.
 */
import { strict as assert } from 'node:assert';
import { homedir } from 'node:os';
import { describe, it } from 'mocha';
import { tensorflowDirectory } from '../src/engine/tensorflow-location.ts';
import { describeEngine } from '../src/model/test-support/engine-suite.ts';
import { floats, testModels } from '../src/model/test-support/test-models.ts';
import { temporaryFolder } from '../src/model/test-support/tiny-models.ts';

const directory = tensorflowDirectory({
  env: process.env,
  home: homedir(),
  platform: process.platform,
  arch: process.arch,
});
const mnist = new URL('../../examples/mnist/model', import.meta.url).href;

describeEngine('TensorFlow', directory);

describe('a server that has TensorFlow', () => {
  it('chooses it, and answers as the other engines do', async () => {
    await using cache = await temporaryFolder();
    await using models = testModels({ cacheDirectory: cache.path, tensorflowDirectory: directory });
    const names = ['Auto', 'Wasm', 'JavaScript'] as const;
    await models.manager.apply(names.map((engine) => ({ name: engine, uri: mnist, engine })));
    const answers = await Promise.all(
      names.map(async (name) => {
        const loaded = models.manager.get(name)?.loaded;
        assert.ok(loaded, models.manager.get(name)?.failure?.message);
        const [input, output] = [loaded.inputs[0]?.name ?? '', loaded.outputs[0]?.name ?? ''];
        const image = floats(
          [1, 28, 28, 1],
          Array.from({ length: 784 }, (_, index) => (index % 29) / 29),
        );
        const results = await loaded.infer(new Map([[input, image]]), [output], new AbortController().signal);
        return [...(results.get(output)?.data ?? [])];
      }),
    );
    assert.equal(models.manager.get('Auto')?.loaded?.engine, 'TensorFlow');
    for (const answer of answers) {
      answer.forEach((value, index) => {
        assert.ok(Math.abs(value - (answers[0]?.[index] ?? Number.NaN)) < 1e-5, `${answer} is not ${answers[0]}`);
      });
    }
  });

  it('says that a GPU is not usable rather than compute without it', async () => {
    await using cache = await temporaryFolder();
    const settings = { requireGPU: true };
    await using models = testModels({ cacheDirectory: cache.path, tensorflowDirectory: directory, settings });
    await models.manager.apply([{ name: 'm', uri: mnist }]);
    assert.equal(models.manager.get('m')?.failure?.reason, 'GPUNotUsable');
  });
});
