import type { ModelSignature } from '../engine/engine-messages.ts';
import type { Datatype, Tensor, TensorSpec } from '../engine/tensor.ts';
import { ModelFailure } from '../failures.ts';
import { InvalidRequest } from '../protocol/invalid-request.ts';
import { parseInferRequest } from '../protocol/open-inference.ts';
import { elementCount } from '../protocol/signature.ts';

/** The tensors of a model's first inference, and what to say of them in its metadata. */
export interface WarmUp {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly note: string;
}

/** So many elements at most, whatever shape warmup.json claims: 512 MB of 32-bit numbers. */
const MAX_ELEMENTS = 128 * 1024 * 1024;

/**
 * The inputs of the warm-up: those of warmup.json (an infer request's body) where the model has one, else zeros with 1
 * for each unknown dimension.
 *
 * @throws ModelFailure `WarmupFailed` for a warmup.json that would be refused as a request
 */
export function warmUpInputs(model: ModelSignature & { readonly name: string }, warmup: unknown): WarmUp {
  if (warmup !== undefined) return { inputs: fromBody(model, warmup), note: 'Warmed up with warmup.json' };
  const inputs = new Map(model.inputs.map((spec) => [spec.name, zeros(spec)]));
  const shapes = [...inputs].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  return { inputs, note: `Warmed up with zeros: ${shapes.join('; ')}` };
}

function zeros({ datatype, shape }: TensorSpec): Tensor {
  const known = shape.map((size) => (size < 0 ? 1 : size));
  return { datatype, shape: known, data: typedArray(datatype, elementCount(known)) };
}

function fromBody(model: ModelSignature & { readonly name: string }, warmup: unknown): ReadonlyMap<string, Tensor> {
  try {
    return parseInferRequest(warmup, { ...model, version: '' }, MAX_ELEMENTS).inputs;
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    throw new ModelFailure('WarmupFailed', `warmup.json, ${error.message}`, { cause: error });
  }
}

function typedArray(datatype: Datatype, length: number): Tensor['data'] {
  if (datatype === 'FP32') return new Float32Array(length);
  return datatype === 'INT32' ? new Int32Array(length) : new Uint8Array(length);
}
