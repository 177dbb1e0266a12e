import { rowsOf, type Tensors, whyNotJoined } from '../batching/joinable.ts';
import { joinRows, sliceRows } from '../batching/rows.ts';
import type { EngineModelHandle } from '../engine/engine.ts';
import { EngineCallError } from '../engine/engine-errors.ts';
import type { ModelSignature } from '../engine/engine-messages.ts';
import type { Tensor } from '../engine/tensor.ts';

/** How far the same row may be off in another batch, for an engine adds up in another order there. */
const RELATIVE_TOLERANCE = 1e-3;
const ABSOLUTE_TOLERANCE = 1e-5;

/** What a model is tried with: the rows of the warm-up between others. */
export interface JoiningTrial {
  readonly inputs: Tensors;
  /** Of the warm-up, and as many of others before and after them. */
  readonly rows: number;
}

/** In memory of its own; undefined where rows cannot be told. */
export function joiningTrial(warmUp: Tensors): JoiningTrial | undefined {
  const rows = rowsOf(warmUp);
  if (rows === undefined) return undefined;
  const inputs = new Map(
    [...warmUp].map(([name, tensor]) => {
      const others = otherRows(tensor);
      return [name, joinRows([others, tensor, others])];
    }),
  );
  return { inputs, rows };
}

/** Other numbers, where every number is a value: what integers and flags stand for cannot be known. */
function otherRows(tensor: Tensor): Tensor {
  if (tensor.datatype !== 'FP32') return tensor;
  // From 0 to 1, which a model takes that counts in pixels, in shares or in places of a table.
  return { ...tensor, data: Float32Array.from(tensor.data, (_, index) => ((index * 5 + 3) % 8) / 8) };
}

/**
 * Why requests for a model cannot be joined; undefined where nothing speaks against it. What a model says of its shapes
 * is tried out, for a graph model often knows little of its outputs, and so is whether a row comes out the same between
 * others as alone.
 *
 * @param trial from {@link joiningTrial}; its buffers move to the engine
 * @param alone what the model gave for the warm-up
 * @param run runs the model
 */
export async function tryJoining(
  { inputs, outputs }: ModelSignature,
  trial: JoiningTrial | undefined,
  alone: Tensors,
  run: (inputs: Tensors) => ReturnType<EngineModelHandle['run']>,
): Promise<string | undefined> {
  const why = whyNotJoined(inputs, outputs);
  if (why !== undefined) return why;
  if (trial === undefined) return 'the inputs of the warm-up differ in their first dimension';
  const { rows } = trial;
  try {
    const joined = (await run(trial.inputs)).outputs;
    for (const [name, tensor] of joined) {
      const [given] = tensor.shape;
      if (given !== 3 * rows) return `output "${name}" had ${given} rows for ${3 * rows} of the input`;
      const own = alone.get(name);
      if (own !== undefined && !isSame(own, sliceRows(tensor, rows, rows))) {
        return `output "${name}" had other values for a row when other rows were with it`;
      }
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineCallError)) throw error;
    return `the model failed on several requests at once: ${error.message}`;
  }
}

function isSame(a: Tensor, b: Tensor): boolean {
  if (a.data.length !== b.data.length) return false;
  const tolerance = a.datatype === 'FP32' ? ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * largest(a) : 0;
  for (const [index, value] of a.data.entries()) {
    const other = b.data[index] ?? Number.NaN;
    if (!Object.is(value, other) && !(Math.abs(value - other) <= tolerance)) return false;
  }
  return true;
}

/** The largest finite magnitude. */
function largest({ data }: Tensor): number {
  let most = 0;
  for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}
