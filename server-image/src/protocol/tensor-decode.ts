import type { Datatype, Tensor } from '../engine/tensor.ts';
import { InvalidRequest, quote } from './invalid-request.ts';
import { elementCount } from './signature.ts';

/** Where an element stands in the request, for errors: `inputs[0].data[3]` from the indices `[3]`. */
export type Locate = (indices: readonly number[]) => string;

/** Where an element stands below a field: `field[1][2]`. */
export function below(field: string): Locate {
  return (indices) => field + indices.map((index) => `[${index}]`).join('');
}

const FLOAT32_MAX = 3.4028234663852886e38;

const ELEMENT_RULES: Readonly<Record<Datatype, string>> = {
  FP32: 'takes finite numbers within the range of a 32-bit float',
  INT32: 'takes whole numbers from -2147483648 to 2147483647',
  BOOL: 'takes true, false, 1 and 0',
};

/**
 * Reads a tensor whose shape is known from JSON values, row-major.
 *
 * @param values nested arrays of exactly `shape`, or one flat array of as many elements; for shape [] also a bare value
 * @param maxElements what the body can hold at most, so that a shape of lies allocates nothing
 * @throws InvalidRequest naming the element or the ragged row
 */
export function decodeTensor(
  datatype: Datatype,
  shape: readonly number[],
  values: unknown,
  maxElements: number,
  locate: Locate,
): Tensor {
  const size = elementCount(shape);
  const elements = shape.length === 0 && !Array.isArray(values) ? [values] : values;
  if (!Array.isArray(elements)) {
    throw new InvalidRequest(locate([]), `is ${quote(elements)}, but an array of values is needed`);
  }
  const nested = shape.length > 1 && Array.isArray(elements[0]);
  if (!nested && elements.length !== size) {
    throw new InvalidRequest(
      locate([]),
      `holds ${elements.length} values, but shape [${shape.join(',')}] needs ${size}`,
    );
  }
  if (size > maxElements) {
    throw new InvalidRequest(locate([]), `holds fewer than the ${size} values that shape [${shape.join(',')}] needs`);
  }
  return { datatype, shape, data: fill(datatype, size, nested ? shape : [size], elements, locate) };
}

function fill(
  datatype: Datatype,
  size: number,
  shape: readonly number[],
  elements: readonly unknown[],
  locate: Locate,
): Tensor['data'] {
  const at: number[] = [];
  const fail: Fail = (index, value) => {
    throw new InvalidRequest(locate([...at, index]), `is ${quote(value)}, but ${datatype} ${ELEMENT_RULES[datatype]}`);
  };
  switch (datatype) {
    case 'FP32': {
      const data = new Float32Array(size);
      walk(elements, shape, at, 0, 0, locate, (row, offset) => writeFloats(data, row, offset, fail));
      return data;
    }
    case 'INT32': {
      const data = new Int32Array(size);
      walk(elements, shape, at, 0, 0, locate, (row, offset) => writeIntegers(data, row, offset, fail));
      return data;
    }
    case 'BOOL': {
      const data = new Uint8Array(size);
      walk(elements, shape, at, 0, 0, locate, (row, offset) => writeBooleans(data, row, offset, fail));
      return data;
    }
  }
}

type Fail = (index: number, value: unknown) => never;
type WriteRow = (row: readonly unknown[], offset: number) => void;

/** Visits the innermost rows in order and returns the offset behind them; `at` holds the indices on the way down. */
function walk(
  value: unknown,
  shape: readonly number[],
  at: number[],
  depth: number,
  offset: number,
  locate: Locate,
  writeRow: WriteRow,
): number {
  const length = shape[depth] ?? 0;
  if (!Array.isArray(value) || value.length !== length) {
    throw new InvalidRequest(
      locate(at.slice(0, depth)),
      `is ${quote(value)}, but shape [${shape.join(',')}] needs an array of ${length} here`,
    );
  }
  if (depth === shape.length - 1) {
    writeRow(value, offset);
    return offset + length;
  }
  let next = offset;
  for (let index = 0; index < length; index++) {
    at[depth] = index;
    next = walk(value[index], shape, at, depth + 1, next, locate, writeRow);
  }
  at.length = depth;
  return next;
}

function writeFloats(data: Float32Array, row: readonly unknown[], offset: number, fail: Fail): void {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value !== 'number' || !(value <= FLOAT32_MAX && value >= -FLOAT32_MAX)) fail(index, value);
    else data[offset + index] = value;
  }
}

function writeIntegers(data: Int32Array, row: readonly unknown[], offset: number, fail: Fail): void {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value !== 'number' || (value | 0) !== value) fail(index, value);
    else data[offset + index] = value;
  }
}

function writeBooleans(data: Uint8Array, row: readonly unknown[], offset: number, fail: Fail): void {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (value === true || value === 1) data[offset + index] = 1;
    else if (value !== false && value !== 0) fail(index, value);
  }
}

/**
 * The shape of nested arrays, by the first element of each level; whether the rest agrees is `decodeTensor`'s to say.
 *
 * @param rank how deep to look at most
 */
export function shapeOfNested(value: unknown, rank: number): readonly number[] {
  const shape: number[] = [];
  let level = value;
  while (shape.length < rank && Array.isArray(level)) {
    shape.push(level.length);
    level = level[0];
  }
  return shape;
}
