import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Datatype, Tensor } from '../engine/tensor.ts';
import { InvalidRequest } from './invalid-request.ts';
import { elementCount } from './signature.ts';
import { below, decodeTensor } from './tensor-decode.ts';
import { flatJson, nestedJson, rowsJson } from './tensor-encode.ts';

const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** An array nested by `shape`, its values in row-major order. */
function nestValues(shape: readonly number[], values: readonly unknown[]): unknown {
  if (shape.length === 0) return values[0];
  const [count = 0, ...inner] = shape;
  const stride = elementCount(inner);
  return Array.from({ length: count }, (_, row) => nestValues(inner, values.slice(row * stride, (row + 1) * stride)));
}

const ELEMENTS: Readonly<Record<Datatype, fc.Arbitrary<number | boolean>>> = {
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  INT32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  BOOL: fc.boolean(),
};

const tensors = fc
  .tuple(
    fc.constantFrom<Datatype>('FP32', 'INT32', 'BOOL'),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 4 }),
  )
  .chain(([datatype, shape]) => {
    const length = elementCount(shape);
    return fc.record({
      datatype: fc.constant(datatype),
      shape: fc.constant(shape),
      values: fc.array(ELEMENTS[datatype], { minLength: length, maxLength: length }),
    });
  });

function decode(datatype: Datatype, shape: readonly number[], values: unknown): Tensor {
  return decodeTensor(datatype, shape, values, UNLIMITED, below('data'));
}

describe('tensors as JSON', () => {
  it('reads nested and flat values to the same tensor', () => {
    fc.assert(
      fc.property(tensors, ({ datatype, shape, values }) => {
        assert.deepEqual(decode(datatype, shape, nestValues(shape, values)), decode(datatype, shape, values));
      }),
    );
  });

  it('writes what it reads, flat, nested and by row', () => {
    fc.assert(
      fc.property(tensors, ({ datatype, shape, values }) => {
        const tensor = decode(datatype, shape, values);
        // -0 is written as 0, as JSON.stringify writes it.
        const expected = values.map((value) => (value === 0 ? 0 : value));
        assert.deepEqual(JSON.parse(flatJson(tensor)), expected);
        assert.deepEqual(JSON.parse(nestedJson(tensor)), nestValues(shape, expected));
        if (shape.length > 0) {
          assert.deepEqual(
            rowsJson(tensor).map((row) => JSON.parse(row)),
            nestValues(shape, expected),
          );
        }
      }),
    );
  });

  it('always refuses a ragged array', () => {
    const ragged = fc
      .tuple(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
        fc.nat(),
        fc.constantFrom('shorter', 'longer', 'bare', 'deeper'),
      )
      .map(([shape, seed, change]) => {
        const rowLength = shape.at(-1) ?? 1;
        const rowShape = shape.slice(0, -1);
        const rows: unknown[] = Array.from({ length: elementCount(rowShape) }, () => Array(rowLength).fill(1));
        const row = rows[seed % rows.length];
        const changed = {
          shorter: Array(rowLength - 1).fill(1),
          longer: Array(rowLength + 1).fill(1),
          bare: 1,
          deeper: [row],
        };
        rows[seed % rows.length] = changed[change];
        return { shape, values: nestValues(rowShape, rows) };
      })
      // One bare value for shape [1,1] is its flat form, and right.
      .filter(({ shape, values }) => !(elementCount(shape) === 1 && JSON.stringify(values) === '[1]'));
    fc.assert(
      fc.property(ragged, ({ shape, values }) => {
        assert.throws(() => decode('FP32', shape, values), InvalidRequest);
      }),
      { numRuns: 1000 },
    );
  });

  const refused: readonly {
    readonly because: string;
    readonly datatype: Datatype;
    readonly shape: readonly number[];
    readonly values: unknown;
    readonly says: string;
  }[] = [
    {
      because: 'a count that differs',
      datatype: 'FP32',
      shape: [2, 2],
      values: [1, 2, 3],
      says: 'data: holds 3 values, but shape [2,2] needs 4',
    },
    {
      because: 'a short row',
      datatype: 'FP32',
      shape: [2, 2],
      values: [[1, 2], [3]],
      says: 'data[1]: is an array of 1, but shape [2,2] needs an array of 2 here',
    },
    {
      because: 'a bare value among rows',
      datatype: 'FP32',
      shape: [2, 1],
      values: [[1], 2],
      says: 'data[1]: is 2, but shape [2,1] needs an array of 1 here',
    },
    {
      because: 'a text',
      datatype: 'FP32',
      shape: [1],
      values: ['7'],
      says: 'data[0]: is "7", but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'a number that JSON.parse reads as infinite',
      datatype: 'FP32',
      shape: [1],
      values: JSON.parse('[1e400]'),
      says: 'data[0]: is Infinity, but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'null',
      datatype: 'FP32',
      shape: [1, 1],
      values: [[null]],
      says: 'data[0][0]: is null, but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'a number beyond float32',
      datatype: 'FP32',
      shape: [1],
      values: [1e39],
      says: 'data[0]: is 1e+39, but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'a fraction for an integer',
      datatype: 'INT32',
      shape: [1],
      values: [0.5],
      says: 'data[0]: is 0.5, but INT32 takes whole numbers from -2147483648 to 2147483647',
    },
    {
      because: 'an integer beyond int32',
      datatype: 'INT32',
      shape: [1],
      values: [2147483648],
      says: 'data[0]: is 2147483648, but INT32 takes whole numbers from -2147483648 to 2147483647',
    },
    {
      because: 'a boolean for a number',
      datatype: 'FP32',
      shape: [1],
      values: [true],
      says: 'data[0]: is true, but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: '2 for a boolean',
      datatype: 'BOOL',
      shape: [1],
      values: [2],
      says: 'data[0]: is 2, but BOOL takes true, false, 1 and 0',
    },
    {
      because: 'no array at all',
      datatype: 'FP32',
      shape: [1],
      values: 'abc',
      says: 'data: is "abc", but an array of values is needed',
    },
  ];
  for (const { because, datatype, shape, values, says } of refused) {
    it(`refuses ${because}`, () => {
      assert.throws(
        () => decode(datatype, shape, values),
        (error) => error instanceof InvalidRequest && error.message === says,
      );
    });
  }

  it('reads booleans and the integers 0 and 1 as BOOL', () => {
    assert.deepEqual(decode('BOOL', [4], [true, 1, false, 0]).data, new Uint8Array([1, 1, 0, 0]));
  });

  it('allocates nothing for a shape that the body cannot fill', () => {
    const rows = Array.from({ length: 10 }, (_, row) => (row === 0 ? Array(10).fill(0) : []));
    assert.throws(
      () => decodeTensor('FP32', [10, 10], rows, 50, below('data')),
      new InvalidRequest('data', 'holds fewer than the 100 values that shape [10,10] needs'),
    );
  });

  it('writes null for NaN and the infinities, which JSON cannot spell', () => {
    const tensor: Tensor = {
      datatype: 'FP32',
      shape: [4],
      data: new Float32Array([1, Number.NaN, Number.POSITIVE_INFINITY, -2.5]),
    };
    assert.equal(flatJson(tensor), '[1,null,null,-2.5]');
  });
});
