import type { Datatype, TensorSpec } from '../engine/tensor.ts';
import { quote } from './invalid-request.ts';

/** What a protocol needs to know of a model to read a request for it and to write the answer. */
export interface Signature {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Every datatype of the Open Inference Protocol, https://github.com/kserve/open-inference-protocol. */
const PROTOCOL_DATATYPES: ReadonlySet<string> = new Set([
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
]);

const SERVED_DATATYPES: readonly Datatype[] = ['FP32', 'INT32', 'BOOL'];

/** What is wrong with a datatype sent for an input that takes `wanted`; undefined when nothing is. */
export function datatypeProblem(sent: unknown, wanted: Datatype): string | undefined {
  if (sent === wanted) return undefined;
  if (typeof sent !== 'string' || !PROTOCOL_DATATYPES.has(sent)) {
    return `is ${quote(sent)}, which is no datatype of the Open Inference Protocol; this input takes "${wanted}"`;
  }
  if (!SERVED_DATATYPES.some((served) => served === sent)) {
    return `${sent} is not supported by this server, which takes ${SERVED_DATATYPES.join(', ')}; this input takes "${wanted}"`;
  }
  return `is ${sent}, but this input takes "${wanted}"`;
}

/** Whether a tensor of this shape may be given where `spec` is asked for; -1 in the spec takes any size. */
export function shapeFits(shape: readonly number[], spec: TensorSpec): boolean {
  return shape.length === spec.shape.length && spec.shape.every((size, axis) => size === -1 || size === shape[axis]);
}

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `"a", "b"`, for errors that list what there is. */
export function namesOf(specs: readonly TensorSpec[]): string {
  return specs.map((spec) => `"${spec.name}"`).join(', ');
}
