import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { silentObserver } from '../batching/test-support/silent-observer.ts';
import type { Engines } from '../engine/engines.ts';
import type { LoadedModel } from './served-model.ts';
import { loadFiles, steadyEngines } from './test-support/load-files.ts';
import { floats } from './test-support/test-models.ts';
import { acrossRowsFiles, denseFiles, type Files, halfPlusTwoFiles, nonzeroFiles } from './test-support/tiny-models.ts';

const never = new AbortController().signal;
const batching = { maxBatchSize: 8, maxDelayMs: 2, maxQueueSize: 100 };

describe('joining requests for a model', () => {
  let engines: Engines;
  before(() => {
    engines = steadyEngines();
  });
  after(() => engines.close());

  async function load(files: Files) {
    const sizes: number[] = [];
    const notJoined: string[] = [];
    const { model } = await loadFiles(files, {
      engine: 'JavaScript',
      engines,
      batching,
      observer: {
        ...silentObserver,
        computed: (rows) => sizes.push(rows),
        notJoined: (why) => notJoined.push(why),
      },
    });
    return { model, sizes, notJoined };
  }

  async function infer(model: LoadedModel, shape: number[], values: number[]): Promise<readonly number[]> {
    const [input, output] = [model.inputs[0]?.name ?? '', model.outputs[0]?.name ?? ''];
    const results = await model.infer(new Map([[input, floats(shape, values)]]), [output], never);
    return [...(results.get(output)?.data ?? [])];
  }

  it('gives each of several requests its own rows', async () => {
    const { model, sizes } = await load(denseFiles(0.5));
    assert.match(model.notes.join('; '), /Requests are joined up to 8 rows/);
    const answers = await Promise.all([
      infer(model, [1, 2], [1, 2]),
      infer(model, [2, 2], [1, 2, 3, 4]),
      infer(model, [1, 2], [3, 4]),
    ]);
    assert.deepEqual(answers, [[21.5], [21.5, 43.5], [43.5]]);
    assert.deepEqual(sizes, [1, 3]);
  });

  it('splits a request that is larger than a batch, and puts it together again', async () => {
    const { model, sizes } = await load(halfPlusTwoFiles());
    const values = Array.from({ length: 20 }, (_, index) => index * 2);
    const expected = values.map((value) => value / 2 + 2);
    assert.deepEqual(await infer(model, [20, 1], values), expected);
    assert.deepEqual(sizes, [8, 8, 4]);
  });

  for (const { title, files, alone } of [
    { title: 'a softmax over the batch', files: acrossRowsFiles('softmax'), alone: [1] },
    { title: 'values less the mean of the batch', files: acrossRowsFiles('centre'), alone: [0] },
    { title: 'a running sum', files: acrossRowsFiles('cumulate'), alone: [3] },
    { title: 'a running sum from the end', files: acrossRowsFiles('cumulate', { reverse: true }), alone: [3] },
  ]) {
    it(`joins nothing where rows depend on one another: ${title}`, async () => {
      const { model, notJoined } = await load(files);
      assert.deepEqual(notJoined, ['output "y" had other values for a row when other rows were with it']);
      const answers = await Promise.all([1, 2, 3].map(() => infer(model, [1, 1], [3])));
      assert.deepEqual(answers, [alone, alone, alone]);
    });
  }

  it('joins nothing where the model gives other rows than it takes, and says so', async () => {
    const { model, sizes, notJoined } = await load(nonzeroFiles());
    assert.deepEqual(await Promise.all([infer(model, [3], [0, 5, 0]), infer(model, [2], [7, 8])]), [[1], [0, 1]]);
    assert.deepEqual(sizes, [3, 2]);
    const [why] = notJoined;
    assert.match(why ?? '', /^output "places" had \d rows for 3 of the input$/);
    assert.ok(model.notes.includes(`Requests are not joined: ${why}`));
  });
});
