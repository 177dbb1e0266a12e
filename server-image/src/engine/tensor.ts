/** Open Inference Protocol datatypes that the engines of this release take and give. */
export type Datatype = 'FP32' | 'INT32' | 'BOOL';

/**
 * A dense tensor, row-major. FP32 is a Float32Array, INT32 an Int32Array, BOOL a Uint8Array of 0 and 1; its length is
 * the product of `shape`. Crossing to the engine thread moves the buffer: the sender must not use `data` again.
 */
export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** What a model takes or gives under one name; -1 is a dimension that the request chooses. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}
