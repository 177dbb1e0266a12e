import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Tensor } from '../engine/tensor.ts';
import { InvalidRequest } from './invalid-request.ts';
import type { Signature } from './signature.ts';
import { parsePredictRequest, predictResponse } from './tensorflow-serving.ts';

const ONE: Signature = {
  name: 'one',
  version: '1',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};
const TWO: Signature = {
  name: 'two',
  version: '1',
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1] },
    { name: 'b', datatype: 'INT32', shape: [-1, 2] },
  ],
  outputs: [
    { name: 'sum', datatype: 'FP32', shape: [-1] },
    { name: 'product', datatype: 'FP32', shape: [-1, 2] },
  ],
};

function floats(shape: readonly number[], values: readonly number[]): Tensor {
  return { datatype: 'FP32', shape, data: new Float32Array(values) };
}

describe('TensorFlow Serving v1 predict', () => {
  const X = floats([2, 2], [1, 2, 3, 4]);
  const same: readonly { readonly title: string; readonly body: unknown; readonly form: string }[] = [
    {
      title: 'bare rows',
      body: {
        instances: [
          [1, 2],
          [3, 4],
        ],
      },
      form: 'row',
    },
    { title: 'rows by name', body: { instances: [{ x: [1, 2] }, { x: [3, 4] }] }, form: 'row' },
    {
      title: 'a bare column',
      body: {
        inputs: [
          [1, 2],
          [3, 4],
        ],
        signature_name: 'serving_default',
      },
      form: 'column',
    },
    {
      title: 'a column by name',
      body: {
        inputs: {
          x: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      form: 'column',
    },
  ];
  for (const { title, body, form } of same) {
    it(`reads ${title} of a model with one input`, () => {
      assert.deepEqual(parsePredictRequest(body, ONE, 1000), { form, inputs: new Map([['x', X]]) });
    });
  }

  it('reads rows and columns of a model with two inputs to the same tensors', () => {
    const rows = {
      instances: [
        { a: 1, b: [2, 3] },
        { b: [5, 6], a: 4 },
      ],
    };
    const columns = {
      inputs: {
        a: [1, 4],
        b: [
          [2, 3],
          [5, 6],
        ],
      },
    };
    assert.deepEqual(parsePredictRequest(rows, TWO, 1000).inputs, parsePredictRequest(columns, TWO, 1000).inputs);
    assert.deepEqual(parsePredictRequest(rows, TWO, 1000).inputs.get('b')?.data, new Int32Array([2, 3, 5, 6]));
  });

  it('answers rows for rows and a column for a column', () => {
    const values = fc.array(
      fc.tuple(fc.integer(), fc.integer()).map(([a, b]) => [a % 1000, b % 1000]),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(values, (rows) => {
        const answer = new Map([['y', floats([rows.length, 2], rows.flat())]]);
        const row = parsePredictRequest({ instances: rows }, ONE, 1000);
        const column = parsePredictRequest({ inputs: rows }, ONE, 1000);
        assert.deepEqual(JSON.parse(predictResponse(row, answer)), {
          predictions: rows.map((r) => r.map((v) => v + 0)),
        });
        assert.deepEqual(JSON.parse(predictResponse(column, answer)), {
          outputs: rows.map((r) => r.map((v) => v + 0)),
        });
      }),
    );
  });

  it('answers more than one output by name', () => {
    const answer = new Map([
      ['sum', floats([2], [3, 9])],
      ['product', floats([2, 2], [1, 2, 3, 4])],
    ]);
    const row = parsePredictRequest(
      {
        instances: [
          { a: 1, b: [2, 3] },
          { a: 4, b: [5, 6] },
        ],
      },
      TWO,
      1000,
    );
    const column = parsePredictRequest(
      {
        inputs: {
          a: [1, 4],
          b: [
            [2, 3],
            [5, 6],
          ],
        },
      },
      TWO,
      1000,
    );
    assert.deepEqual(JSON.parse(predictResponse(row, answer)), {
      predictions: [
        { sum: 3, product: [1, 2] },
        { sum: 9, product: [3, 4] },
      ],
    });
    assert.deepEqual(JSON.parse(predictResponse(column, answer)), {
      outputs: {
        sum: [3, 9],
        product: [
          [1, 2],
          [3, 4],
        ],
      },
    });
  });

  it('refuses rows when an output has not one row for each', () => {
    const row = parsePredictRequest(
      {
        instances: [
          [1, 2],
          [3, 4],
        ],
      },
      ONE,
      1000,
    );
    assert.throws(
      () => predictResponse(row, new Map([['y', floats([1], [10])]])),
      new InvalidRequest(
        'instances',
        'output "y" has shape [1], not one row for each of the 2 instances; send "inputs" instead',
      ),
    );
  });

  const refused: readonly {
    readonly because: string;
    readonly body: unknown;
    readonly model?: Signature;
    readonly says: string;
  }[] = [
    {
      because: 'neither form',
      body: {},
      says: 'body: holds neither "instances" nor "inputs"; send "instances" (a list of rows) or "inputs" (a tensor for each input)',
    },
    {
      because: 'both forms',
      body: { instances: [[1, 2]], inputs: [[1, 2]] },
      says: 'body: holds "instances" and "inputs"; send "instances" (a list of rows) or "inputs" (a tensor for each input)',
    },
    {
      because: 'another signature',
      body: { signature_name: 'train', instances: [[1, 2]] },
      says: 'signature_name: is "train", but only "serving_default" is served',
    },
    {
      because: 'no rows',
      body: { instances: [] },
      says: 'instances: is an array of 0, but a list of at least one row is needed',
    },
    {
      because: 'rows that are no list',
      body: { instances: { x: 1 } },
      says: 'instances: is an object, but a list of at least one row is needed',
    },
    {
      because: 'a row of another size',
      body: { instances: [[1, 2, 3]] },
      says: 'instances: is nested as [1,3], but input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'rows without nesting',
      body: { instances: [1, 2] },
      says: 'instances: is nested as [2], but input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'a ragged row',
      body: { instances: [[1, 2], [3]] },
      says: 'instances[1]: is an array of 1, but shape [2,2] needs an array of 2 here',
    },
    {
      because: 'rows nested too deep',
      body: { instances: [[[1], [2]]] },
      says: 'instances[0][0]: is an array of 1, but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'a wrong element by name',
      body: {
        instances: [
          { a: 1, b: [1, 2] },
          { a: 1, b: [1, 0.5] },
        ],
      },
      model: TWO,
      says: 'instances[1].b[1]: is 0.5, but INT32 takes whole numbers from -2147483648 to 2147483647',
    },
    {
      because: 'bare rows for two inputs',
      body: { instances: [[1, 2]] },
      model: TWO,
      says: 'instances[0]: is an array of 2, but an object with each input by name is needed; model "two" takes "a", "b"',
    },
    {
      because: 'a row that lacks an input',
      body: { instances: [{ a: 1 }] },
      model: TWO,
      says: 'instances[0].b: is missing; model "two" takes "a", "b"',
    },
    {
      because: 'a row with an unknown input',
      body: { instances: [{ x: [1, 2], z: 1 }] },
      says: 'instances[0].z: is no input; model "one" takes "x"',
    },
    {
      because: 'base64',
      body: { instances: [{ b64: 'AA==' }] },
      says: 'instances[0]: {"b64": …} is a BYTES value, which this server does not support; model "one" takes "x"',
    },
    {
      because: 'a column that lacks an input',
      body: { inputs: { a: [1] } },
      model: TWO,
      says: 'inputs.b: is missing; model "two" takes "a", "b"',
    },
    {
      because: 'a wrong element in a column',
      body: { inputs: { a: [1], b: [[1, 'x']] } },
      model: TWO,
      says: 'inputs.b[0][1]: is "x", but INT32 takes whole numbers from -2147483648 to 2147483647',
    },
  ];
  for (const { because, body, model, says } of refused) {
    it(`refuses ${because}`, () => {
      assert.throws(
        () => parsePredictRequest(body, model ?? ONE, 1000),
        (error) => {
          assert.ok(error instanceof InvalidRequest);
          assert.equal(error.message, says);
          return true;
        },
      );
    });
  }
});
