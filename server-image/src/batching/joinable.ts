import type { Tensor, TensorSpec } from '../engine/tensor.ts';

/** Tensors by name, as a model takes and gives them. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** Why requests for a model cannot be joined; undefined where they can: every first dimension is the number of rows. */
export function whyNotJoined(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): string | undefined {
  if (inputs.length === 0 || outputs.length === 0) return 'the model has no inputs or no outputs';
  for (const [kind, specs] of [['input', inputs] as const, ['output', outputs] as const]) {
    const fixed = specs.find(({ shape }) => shape[0] !== -1);
    if (fixed !== undefined) {
      return `the first dimension of ${kind} "${fixed.name}", [${fixed.shape.join(', ')}], is not open`;
    }
  }
  return undefined;
}

/** The number of rows, where all tensors have the same and at least one; else undefined. */
export function rowsOf(tensors: Tensors): number | undefined {
  let rows: number | undefined;
  for (const { shape } of tensors.values()) {
    const [first] = shape;
    if (first === undefined || first === 0 || (rows !== undefined && rows !== first)) return undefined;
    rows = first;
  }
  return rows;
}

/** Equal for requests whose rows have the same shapes. Datatypes and names are the model's own. */
export function groupOf(inputs: Tensors, specs: readonly TensorSpec[]): string {
  if (specs.every(({ shape }) => shape.indexOf(-1, 1) === -1)) return '';
  return specs.map(({ name }) => inputs.get(name)?.shape.slice(1).join(',') ?? '').join(';');
}
