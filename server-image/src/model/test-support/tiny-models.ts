import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** For tests: the files of a model, by path. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A graph model of y = x / 2 + 2 on [-1, 1], written by hand. */
export function halfPlusTwoFiles(constants: { readonly b?: number } = {}): Files {
  const float = { type: 'DT_FLOAT' };
  const scalar = (name: string) => ({
    name,
    op: 'Const',
    attr: { dtype: float, value: { tensor: { dtype: 'DT_FLOAT', tensorShape: {} } } },
  });
  const json = {
    format: 'graph-model',
    modelTopology: {
      node: [
        {
          name: 'x_node',
          op: 'Placeholder',
          attr: { dtype: float, shape: { shape: { dim: [{ size: '-1' }, { size: '1' }] } } },
        },
        scalar('a'),
        scalar('b'),
        { name: 'half', op: 'Mul', input: ['x_node', 'a'], attr: { T: float } },
        { name: 'y_node', op: 'AddV2', input: ['half', 'b'], attr: { T: float } },
      ],
      versions: { producer: 1 },
    },
    signature: {
      inputs: { x: tensor('x_node:0') },
      outputs: { y: tensor('y_node:0') },
    },
    weightsManifest: [
      {
        paths: ['shards/weights.bin'],
        weights: [
          { name: 'a', shape: [], dtype: 'float32' },
          { name: 'b', shape: [], dtype: 'float32' },
        ],
      },
    ],
  };
  return {
    'model.json': JSON.stringify(json),
    'shards/weights.bin': new Uint8Array(new Float32Array([0.5, constants.b ?? 2]).buffer),
  };
}

/** A graph model of one Einsum, which the wasm backend of TensorFlow.js 4.22 lacks and the plain one has. */
export function einsumFiles(): Files {
  const float = { type: 'DT_FLOAT' };
  const shape = { shape: { dim: [{ size: '-1' }, { size: '2' }] } };
  const json = {
    format: 'graph-model',
    modelTopology: {
      node: [
        { name: 'x', op: 'Placeholder', attr: { dtype: float, shape } },
        {
          name: 'y',
          op: 'Einsum',
          input: ['x', 'x'],
          attr: { T: float, N: { i: '2' }, equation: { s: Buffer.from('ij,ij->i').toString('base64') } },
        },
      ],
      versions: { producer: 1 },
    },
    weightsManifest: [],
  };
  return { 'model.json': JSON.stringify(json) };
}

/** A layers model of one dense layer, 2 inputs to 1 output: y = x0 + 10 x1 + bias. */
export function denseFiles(bias = 0): Files {
  const json = {
    format: 'layers-model',
    modelTopology: {
      class_name: 'Sequential',
      config: {
        name: 'sequential',
        layers: [
          {
            class_name: 'Dense',
            config: { name: 'sum', units: 1, activation: 'linear', use_bias: true, batch_input_shape: [null, 2] },
          },
        ],
      },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          { name: 'sum/kernel', shape: [2, 1], dtype: 'float32' },
          { name: 'sum/bias', shape: [1], dtype: 'float32' },
        ],
      },
    ],
  };
  return { 'model.json': JSON.stringify(json), 'weights.bin': new Uint8Array(new Float32Array([1, 10, bias]).buffer) };
}

/** A new folder with these files in it, removed when it is disposed. */
export async function temporaryFolder(files: Files = {}): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
  await writeFiles(path, files);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

function tensor(name: string): object {
  return { name, dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '1' }] } };
}

/** A dense layer whose two weights, 3 and 4, are quantised to 8 bits: value = stored × 0.5 + 2. */
export function quantisedFiles(): Files {
  const json = JSON.parse(String(denseFiles()['model.json']));
  json.weightsManifest[0].weights[0].quantization = { dtype: 'uint8', scale: 0.5, min: 2, original_dtype: 'float32' };
  return { 'model.json': JSON.stringify(json), 'weights.bin': Uint8Array.from([2, 4, 0, 0, 0, 0]) };
}

/** A graph model that gives the places of the elements other than 0: how many there are depends on the values. */
export function nonzeroFiles(): Files {
  const float = { type: 'DT_FLOAT' };
  const json = {
    format: 'graph-model',
    modelTopology: {
      node: [
        { name: 'x', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim: [{ size: '-1' }] } } } },
        { name: 'flags', op: 'Cast', input: ['x'], attr: { SrcT: float, DstT: { type: 'DT_BOOL' } } },
        { name: 'places', op: 'Where', input: ['flags'], attr: { T: { type: 'DT_BOOL' } } },
      ],
      versions: { producer: 1 },
    },
    weightsManifest: [],
  };
  return { 'model.json': JSON.stringify(json) };
}

/** A graph model on [-1, 1] whose rows depend on the others of the batch. */
export function acrossRowsFiles(
  kind: 'softmax' | 'centre' | 'cumulate',
  { reverse = false }: { readonly reverse?: boolean } = {},
): Files {
  const float = { T: { type: 'DT_FLOAT' }, Tidx: { type: 'DT_INT32' } };
  const x = ['x', 'axis'];
  const cumulate = { op: 'Cumsum', attr: { ...float, exclusive: { b: false }, reverse: { b: reverse } } };
  const sum = (of: string) => ({
    name: 'sum',
    op: 'Sum',
    input: [of, 'axis'],
    attr: { ...float, keep_dims: { b: true } },
  });
  const nodes = {
    softmax: [
      { name: 'power', op: 'Exp', input: ['x'], attr: float },
      sum('power'),
      { name: 'y', op: 'RealDiv', input: ['power', 'sum'], attr: float },
    ],
    centre: [
      { name: 'mean', op: 'Mean', input: x, attr: { ...float, keep_dims: { b: true } } },
      { name: 'y', op: 'Sub', input: ['x', 'mean'], attr: float },
    ],
    cumulate: [{ name: 'y', input: x, ...cumulate }],
  };
  const json = {
    format: 'graph-model',
    modelTopology: {
      node: [
        {
          name: 'x',
          op: 'Placeholder',
          attr: { dtype: float.T, shape: { shape: { dim: [{ size: '-1' }, { size: '1' }] } } },
        },
        {
          name: 'axis',
          op: 'Const',
          attr: { dtype: float.Tidx, value: { tensor: { dtype: 'DT_INT32', tensorShape: {} } } },
        },
        ...nodes[kind],
      ],
      versions: { producer: 1 },
    },
    signature: { inputs: { x: tensor('x:0') }, outputs: { y: tensor('y:0') } },
    weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'axis', shape: [], dtype: 'int32' }] }],
  };
  return { 'model.json': JSON.stringify(json), 'w.bin': new Uint8Array(4) };
}
