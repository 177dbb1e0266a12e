import type { Tensor } from '../engine/tensor.ts';

/** Rows `start` to `start + rows` of a tensor: a view, nothing is copied. */
export function sliceRows(tensor: Tensor, start: number, rows: number): Tensor {
  const [all = 0, ...rest] = tensor.shape;
  if (start === 0 && rows === all) return tensor;
  const stride = tensor.data.length / all;
  return {
    datatype: tensor.datatype,
    shape: [rows, ...rest],
    data: tensor.data.subarray(start * stride, (start + rows) * stride),
  };
}

/** The rows of all tensors, one after the other, in memory of its own. All have one datatype and one shape of rows. */
export function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new RangeError('There is nothing to join');
  const data = newData(
    first,
    sum(tensors, ({ data }) => data.length),
  );
  let offset = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, offset);
    offset += tensor.data.length;
  }
  return {
    datatype: first.datatype,
    shape: [sum(tensors, ({ shape }) => shape[0] ?? 0), ...first.shape.slice(1)],
    data,
  };
}

function newData({ datatype }: Tensor, length: number): Tensor['data'] {
  if (datatype === 'FP32') return new Float32Array(length);
  return datatype === 'INT32' ? new Int32Array(length) : new Uint8Array(length);
}

function sum(tensors: readonly Tensor[], size: (tensor: Tensor) => number): number {
  return tensors.reduce((total, tensor) => total + size(tensor), 0);
}
