import type { Tensor } from '../engine/tensor.ts';

/**
 * A tensor's values as one flat JSON array, row-major. NaN and the infinities become `null`: JSON has no spelling for
 * them, and KServe and MLServer (orjson) answer the same. TensorFlow Serving writes the bare word NaN, which strict
 * parsers refuse.
 */
export function flatJson(tensor: Tensor): string {
  return rowJson(tensor, 0, tensor.data.length);
}

/** A tensor's values as JSON arrays nested by its shape; a bare value for shape []. */
export function nestedJson(tensor: Tensor): string {
  return nest(tensor, 0, 0, tensor.data.length);
}

/** The values of each index of the first dimension, nested by the other dimensions. */
export function rowsJson(tensor: Tensor): readonly string[] {
  const rows = tensor.shape[0] ?? 0;
  const stride = rows === 0 ? 0 : tensor.data.length / rows;
  return Array.from({ length: rows }, (_, row) => nest(tensor, 1, row * stride, stride));
}

function nest(tensor: Tensor, depth: number, offset: number, length: number): string {
  const rank = tensor.shape.length;
  if (depth === rank) return valuesJson(tensor, offset, length);
  if (depth === rank - 1) return rowJson(tensor, offset, length);
  const count = tensor.shape[depth] ?? 0;
  const stride = count === 0 ? 0 : length / count;
  const parts: string[] = [];
  for (let index = 0; index < count; index++) parts.push(nest(tensor, depth + 1, offset + index * stride, stride));
  return `[${parts.join(',')}]`;
}

function rowJson(tensor: Tensor, offset: number, length: number): string {
  return `[${valuesJson(tensor, offset, length)}]`;
}

function valuesJson(tensor: Tensor, offset: number, length: number): string {
  const values = tensor.data.subarray(offset, offset + length);
  if (tensor.datatype === 'BOOL') return Array.from(values, (value) => value !== 0).join(',');
  if (tensor.datatype === 'FP32' && !values.every(Number.isFinite)) {
    return Array.from(values, (value) => (Number.isFinite(value) ? String(value) : 'null')).join(',');
  }
  return values.join(',');
}
