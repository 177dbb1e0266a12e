import { z } from 'zod';
import type { Datatype, Tensor, TensorSpec } from '../engine/tensor.ts';
import { ModelFailure } from '../failures.ts';

/** The tensors of a model's first inference, and what to say of them in its metadata. */
export interface WarmUp {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly note: string;
}

const Body = z.object({
  inputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int().nonnegative()),
      datatype: z.enum(['FP32', 'INT32', 'BOOL']),
      data: z.array(z.unknown()),
    }),
  ),
});

/**
 * The inputs of the warm-up: those of warmup.json (an infer request's body) where the model has one, else zeros with 1
 * for each unknown dimension.
 *
 * @throws ModelFailure `WarmupFailed` for a warmup.json that does not fit the model
 */
export function warmUpInputs(specs: readonly TensorSpec[], warmup: unknown): WarmUp {
  if (warmup !== undefined) return { inputs: fromBody(specs, warmup), note: 'Warmed up with warmup.json' };
  const inputs = new Map(specs.map((spec) => [spec.name, zeros(spec)]));
  const shapes = [...inputs].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  return { inputs, note: `Warmed up with zeros: ${shapes.join('; ')}` };
}

function zeros({ datatype, shape }: TensorSpec): Tensor {
  const known = shape.map((size) => (size < 0 ? 1 : size));
  return { datatype, shape: known, data: typedArray(datatype, elements(known)) };
}

function fromBody(specs: readonly TensorSpec[], warmup: unknown): ReadonlyMap<string, Tensor> {
  const parsed = Body.safeParse(warmup);
  if (!parsed.success) throw wrong(`is no infer request: ${z.prettifyError(parsed.error)}`);
  const given = new Map(parsed.data.inputs.map((input) => [input.name, input]));
  return new Map(
    specs.map((spec) => {
      const input = given.get(spec.name);
      if (input === undefined) throw wrong(`has no input "${spec.name}"`);
      if (input.datatype !== spec.datatype) {
        throw wrong(`gives "${spec.name}" as ${input.datatype}; the model takes ${spec.datatype}`);
      }
      if (!fits(input.shape, spec.shape)) {
        throw wrong(`gives "${spec.name}" the shape [${input.shape}]; the model takes [${spec.shape}]`);
      }
      const values = input.data.flat(Number.POSITIVE_INFINITY).map(Number);
      if (values.length !== elements(input.shape)) {
        throw wrong(
          `gives "${spec.name}" ${values.length} values; its shape [${input.shape}] needs ${elements(input.shape)}`,
        );
      }
      const data = typedArray(spec.datatype, values.length);
      data.set(values);
      return [spec.name, { datatype: spec.datatype, shape: input.shape, data }];
    }),
  );
}

function fits(shape: readonly number[], spec: readonly number[]): boolean {
  return shape.length === spec.length && spec.every((size, index) => size < 0 || size === shape[index]);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function typedArray(datatype: Datatype, length: number): Tensor['data'] {
  if (datatype === 'FP32') return new Float32Array(length);
  return datatype === 'INT32' ? new Int32Array(length) : new Uint8Array(length);
}

function wrong(what: string): ModelFailure {
  return new ModelFailure('WarmupFailed', `warmup.json ${what}`);
}
