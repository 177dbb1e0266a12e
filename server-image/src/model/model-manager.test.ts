import { strict as assert } from 'node:assert';
import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'mocha';
import type { ModelEntry } from '../config/server-config.ts';
import type { ModelManager } from './model-manager.ts';
import { floats, testModels } from './test-support/test-models.ts';
import {
  denseFiles,
  einsumFiles,
  type Files,
  halfPlusTwoFiles,
  temporaryFolder,
  writeFiles,
} from './test-support/tiny-models.ts';

describe('ModelManager', () => {
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    cache = await temporaryFolder();
  });
  after(() => cache[Symbol.asyncDispose]());

  for (const engine of ['Wasm', 'JavaScript', 'Auto'] as const) {
    it(`serves a graph and a layers model on ${engine}`, async () => {
      await using half = await temporaryFolder(halfPlusTwoFiles());
      await using dense = await temporaryFolder(denseFiles(100));
      await using models = testModels({ cacheDirectory: cache.path });
      await models.manager.apply([entry('half', half.path, { engine }), entry('dense', dense.path, { engine })]);

      assert.deepEqual(await infer(models.manager, 'half', 'x', [2, 1], [2, 5]), [3, 4.5]);
      assert.deepEqual(await infer(models.manager, 'dense', 'sum_input', [1, 2], [1, 2]), [121]);
      const { loaded, ...served } = models.manager.get('half') ?? {};
      assert.deepEqual(served, {
        name: 'half',
        version: '1',
        uri: pathToFileURL(half.path).href,
        phase: 'Ready',
        failure: undefined,
      });
      assert.deepEqual(
        { inputs: loaded?.inputs, outputs: loaded?.outputs, engine: loaded?.engine, format: loaded?.format },
        {
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
          engine: engine === 'Auto' ? 'Wasm' : engine,
          format: 'GraphModel',
        },
      );
      assert.deepEqual(loaded?.notes, ['Warmed up with zeros: x [1, 1]']);
    });
  }

  it('tells every phase of a model in order', async () => {
    await using half = await temporaryFolder(halfPlusTwoFiles());
    await using models = testModels({ cacheDirectory: cache.path });
    await models.manager.apply([entry('half', half.path, { engine: 'JavaScript' })]);
    assert.deepEqual(
      models.progress.map(({ phase }) => phase),
      ['Fetching', 'Verifying', 'Loading', 'WarmingUp', 'Ready'],
    );
    const ready = models.progress.at(-1);
    assert.equal(ready?.digest, models.manager.get('half')?.loaded?.digest);
    assert.equal(ready?.engine, 'JavaScript');
  });

  it('falls back to JavaScript for an operation that wasm lacks, and says why', async () => {
    await using einsum = await temporaryFolder(einsumFiles());
    await using models = testModels({ cacheDirectory: cache.path });
    await models.manager.apply([entry('einsum', einsum.path, {})]);
    const loaded = models.manager.get('einsum')?.loaded;
    assert.equal(loaded?.engine, 'JavaScript', JSON.stringify(models.manager.get('einsum')?.failure));
    assert.match(loaded.notes[0] ?? '', /Wasm lacks Einsum/);
    assert.deepEqual(await infer(models.manager, 'einsum', 'x', [1, 2], [3, 4]), [25]);
  });

  const failures: {
    because: string;
    files: Files;
    settings?: object;
    entry?: object;
    reason: string;
    message: RegExp;
  }[] = [
    {
      because: 'an engine that was asked for is never replaced',
      files: einsumFiles(),
      entry: { engine: 'Wasm' },
      reason: 'UnsupportedOperation',
      message: /The engine Wasm lacks Einsum/,
    },
    {
      because: 'the native engine is not there',
      files: denseFiles(),
      entry: { engine: 'TensorFlow' },
      reason: 'EngineUnavailable',
      message: /npm run build:tensorflow/,
    },
    {
      because: 'a GPU was asked for and the engine has none',
      files: denseFiles(),
      settings: { requireGPU: true },
      entry: { engine: 'Wasm' },
      reason: 'GPUNotUsable',
      message: /Wasm uses none/,
    },
    {
      because: 'the digest pins other content',
      files: denseFiles(),
      entry: { digest: `sha256:${'0'.repeat(64)}` },
      reason: 'DigestMismatch',
      message: /has the digest sha256:[0-9a-f]{64}, and digest pins sha256:0000/,
    },
    {
      because: 'the format is another one',
      files: denseFiles(),
      entry: { format: 'GraphModel' },
      reason: 'InvalidModel',
      message: /is a LayersModel, and format says GraphModel/,
    },
    {
      because: 'there is no model.json',
      files: { 'other.txt': '' },
      reason: 'ModelNotFound',
      message: /There is no model\.json in/,
    },
    {
      because: 'model.json is JSON of another kind',
      files: { 'model.json': '{"modelTopology": 1, "weightsManifest": [{"paths": "a"}]}' },
      reason: 'InvalidModel',
      message:
        /^model\.json is no TensorFlow\.js layers or graph model: modelTopology: [^\n]*; weightsManifest\[0\]\.paths: [^\n]*$/,
    },
    {
      because: 'a weights file is cut off',
      files: { ...denseFiles(), 'weights.bin': new Uint8Array(8) },
      reason: 'InvalidModel',
      message: /have 8 bytes and the manifest in model\.json describes 12/,
    },
    {
      because: 'a layer is unknown',
      files: {
        ...denseFiles(),
        'model.json': String(denseFiles()['model.json']).replace('"class_name":"Dense"', '"class_name":"Folded"'),
      },
      reason: 'UnsupportedOperation',
      message: /lacks Folded/,
    },
    {
      because: 'the warm-up does not fit the model',
      files: {
        ...denseFiles(),
        'warmup.json': JSON.stringify({
          inputs: [{ name: 'sum_input', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }],
        }),
      },
      reason: 'WarmupFailed',
      message: /^warmup\.json, inputs\[0\]\.shape: is \[1,3\], but input "sum_input" takes \[-1,2\]/,
    },
    {
      because: 'the warm-up has text for numbers',
      files: {
        ...denseFiles(),
        'warmup.json': JSON.stringify({
          inputs: [{ name: 'sum_input', shape: [1, 2], datatype: 'FP32', data: [1, 'two'] }],
        }),
      },
      reason: 'WarmupFailed',
      message: /^warmup\.json, inputs\[0\]\.data\[1\]: is "two", but FP32 takes finite numbers/,
    },
    {
      because: 'the warm-up is nested beyond reason',
      files: {
        ...denseFiles(),
        'warmup.json': `{"inputs":[{"name":"sum_input","shape":[1,2],"datatype":"FP32","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`,
      },
      reason: 'WarmupFailed',
      message: /^warmup\.json, inputs\[0\]\.data\[0\]: is an array of 1, but shape \[1,2\] needs an array of 2/,
    },
    {
      because: 'model.json is nested beyond reason',
      files: {
        ...denseFiles(),
        'model.json': String(denseFiles()['model.json']).replace(
          '"layers":',
          `"x":${'['.repeat(20_000)}${']'.repeat(20_000)},"layers":`,
        ),
      },
      reason: 'InvalidModel',
      message: /^The engine Wasm could not load the model: .*call stack/,
    },
    {
      because: 'TensorFlow.js refuses the model and gives no reason',
      files: {
        'model.json': JSON.stringify({
          format: 'layers-model',
          modelTopology: {
            class_name: 'Functional',
            config: { name: 'f', layers: [], input_layers: [['x', 0, 0]], output_layers: [['x', 0, 0]] },
          },
          weightsManifest: [],
        }),
      },
      reason: 'InvalidModel',
      message: /^The engine Wasm could not load the model: TensorFlow\.js gave no reason$/,
    },
  ];
  for (const { because, files, settings, entry: fields = {}, reason, message } of failures) {
    it(`fails with ${reason}: ${because}`, async () => {
      await using folder = await temporaryFolder(files);
      await using models = testModels({ cacheDirectory: cache.path, settings: settings ?? {} });
      await models.manager.apply([entry('m', folder.path, fields)]);
      const served = models.manager.get('m');
      assert.equal(served?.phase, 'Failed');
      assert.equal(served.failure?.reason, reason, served.failure?.message);
      assert.match(served.failure.message, message);
      assert.equal(served.loaded, undefined);
      assert.equal(models.progress.at(-1)?.reason, reason);
    });
  }

  it('warms up with warmup.json', async () => {
    const warmup = {
      inputs: [
        {
          name: 'sum_input',
          shape: [2, 2],
          datatype: 'FP32',
          data: [
            [1, 2],
            [3, 4],
          ],
        },
      ],
    };
    await using folder = await temporaryFolder({ ...denseFiles(), 'warmup.json': JSON.stringify(warmup) });
    await using models = testModels({ cacheDirectory: cache.path });
    await models.manager.apply([entry('m', folder.path, {})]);
    assert.deepEqual(models.manager.get('m')?.loaded?.notes, ['Warmed up with warmup.json']);
  });

  it('replaces a changed model, keeps one that could not be replaced, and removes what left the list', async () => {
    await using one = await temporaryFolder(denseFiles(1));
    await using two = await temporaryFolder(denseFiles(2));
    await using models = testModels({ cacheDirectory: cache.path });
    const { manager, progress } = models;
    const keep = entry('keep', one.path, {});
    await manager.apply([entry('m', one.path, {}), keep]);
    const first = manager.get('m')?.loaded;
    const kept = manager.get('keep')?.loaded;

    await manager.apply([entry('m', two.path, { version: '2' }), keep]);
    assert.deepEqual(await infer(manager, 'm', 'sum_input', [1, 2], [0, 0]), [2]);
    assert.equal(manager.get('m')?.version, '2');
    assert.equal(manager.get('keep')?.loaded, kept);
    const late = await first?.infer(new Map([['sum_input', floats([1, 2], [0, 0])]]), ['sum'], never());
    assert.deepEqual(
      [...(late?.get('sum')?.data ?? [])],
      [1],
      'a request that had looked up the old model still gets it',
    );

    await manager.apply([entry('m', '/nowhere', { version: '3' }), keep]);
    assert.equal(manager.get('m')?.phase, 'Ready');
    assert.equal(manager.get('m')?.version, '2');
    assert.equal(manager.get('m')?.failure?.reason, 'ModelNotFound');
    assert.deepEqual(await infer(manager, 'm', 'sum_input', [1, 2], [0, 0]), [2]);

    await manager.apply([keep]);
    assert.equal(manager.get('m'), undefined);
    assert.deepEqual(progress.at(-1), { model: 'm', version: '3', phase: 'Removed' });
    assert.deepEqual(
      manager.list().map(({ name }) => name),
      ['keep'],
    );
  });

  it('loads a model again that had failed, when the list comes again', async () => {
    await using folder = await temporaryFolder();
    await using models = testModels({ cacheDirectory: cache.path });
    const list = [entry('m', folder.path, {})];
    await models.manager.apply(list);
    assert.equal(models.manager.get('m')?.phase, 'Failed');
    await writeFiles(folder.path, denseFiles());
    await models.manager.apply(list);
    assert.equal(models.manager.get('m')?.phase, 'Ready');
  });

  it('answers many requests at once, of models whose files are gone', async () => {
    await using folder = await temporaryFolder(denseFiles(5));
    await using models = testModels({ cacheDirectory: cache.path });
    await models.manager.apply([entry('m', folder.path, {})]);
    await rm(folder.path, { recursive: true });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => infer(models.manager, 'm', 'sum_input', [1, 2], [index, 0])),
    );
    assert.deepEqual(
      answers.flat(),
      Array.from({ length: 50 }, (_, index) => index + 5),
    );
  });
});

function entry(name: string, folder: string, fields: Partial<ModelEntry>): ModelEntry {
  return { name, uri: pathToFileURL(folder).href, ...fields };
}

async function infer(manager: ModelManager, name: string, input: string, shape: number[], values: number[]) {
  const loaded = manager.get(name)?.loaded;
  assert.ok(loaded, `${name} is not served: ${manager.get(name)?.failure?.message}`);
  const output = loaded.outputs[0]?.name ?? '';
  const answers = await loaded.infer(new Map([[input, floats(shape, values)]]), [output], never());
  return [...(answers.get(output)?.data ?? [])];
}

function never(): AbortSignal {
  return new AbortController().signal;
}
