import type { Datatype } from './tensor.ts';

/** The datatypes of this release under TensorFlow.js's names for them. */
const DATATYPES: Readonly<Record<string, Datatype>> = { float32: 'FP32', int32: 'INT32', bool: 'BOOL' };
const TFJS_NAMES = { FP32: 'float32', INT32: 'int32', BOOL: 'bool' } as const;

/** TensorFlow.js's name of a datatype. */
export function tfjsDtype(datatype: Datatype): 'float32' | 'int32' | 'bool' {
  return TFJS_NAMES[datatype];
}

/** @returns undefined for what this release does not serve, such as `string` and `complex64` */
export function datatypeOf(dtype: string): Datatype | undefined {
  return DATATYPES[dtype];
}
