import { strict as assert } from 'node:assert';
import { after, before, describe, it } from 'mocha';
import type { Engines } from '../../engine/engines.ts';
import type { LoadedModelHandle } from '../load-model.ts';
import type { EngineName } from '../served-model.ts';
import { loadFiles, steadyEngines } from './load-files.ts';
import { floats } from './test-models.ts';
import { denseFiles, type Files, halfPlusTwoFiles, nonzeroFiles, quantisedFiles } from './tiny-models.ts';

const never = new AbortController().signal;

/** For tests: what every engine does with models, on one of them. */
export function describeEngine(engine: EngineName, tensorflowDirectory = '/nowhere'): void {
  describe(`the engine ${engine}`, () => {
    let engines: Engines;
    before(() => {
      engines = steadyEngines(tensorflowDirectory);
    });
    after(() => engines.close());

    const load = (files: Files): Promise<LoadedModelHandle> => loadFiles(files, { engine, engines });

    async function infer({ model }: LoadedModelHandle, shape: number[], values: number[]): Promise<number[]> {
      const [input, output] = [model.inputs[0]?.name ?? '', model.outputs[0]?.name ?? ''];
      const results = await model.infer(new Map([[input, floats(shape, values)]]), [output], never);
      return [...(results.get(output)?.data ?? [])];
    }

    const models: { title: string; files: Files; shape: number[]; values: number[]; answer: number[] }[] = [
      { title: 'a graph model', files: halfPlusTwoFiles(), shape: [3, 1], values: [0, 1, 2], answer: [2, 2.5, 3] },
      { title: 'a layers model', files: denseFiles(0.5), shape: [2, 2], values: [1, 2, 3, 4], answer: [21.5, 43.5] },
      { title: 'quantised weights', files: quantisedFiles(), shape: [1, 2], values: [1, 1], answer: [7] },
      {
        title: 'an operation of unknown result shape',
        files: nonzeroFiles(),
        shape: [4],
        values: [0, 5, 0, 6],
        answer: [1, 3],
      },
    ];
    for (const { title, files, shape, values, answer } of models) {
      it(`runs ${title} and keeps no tensor behind`, async () => {
        const handle = await load(files);
        assert.deepEqual(await infer(handle, shape, values), answer);
        const running = await engines.get(engine);
        const before = await running.countTensors();
        for (let times = 0; times < 100; times += 1) assert.deepEqual(await infer(handle, shape, values), answer);
        assert.equal(await running.countTensors(), before);
        await handle.unload();
      });
    }

    it('keeps no tensor behind of requests that fail, nor of models that were unloaded', async () => {
      const running = await engines.get(engine);
      const empty = await running.countTensors();
      const handle = await load(denseFiles());
      const loaded = await running.countTensors();
      for (let times = 0; times < 20; times += 1) {
        await assert.rejects(infer(handle, [1, 3], [1, 2, 3]), { name: 'InferenceError', code: 'Failed' });
      }
      assert.equal(await running.countTensors(), loaded);
      assert.deepEqual(await infer(handle, [1, 2], [1, 2]), [21]);
      await handle.unload();
      assert.equal(await running.countTensors(), empty);
    });
  });
}
