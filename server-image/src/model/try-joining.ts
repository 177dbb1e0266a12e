import { rowsOf, type Tensors, whyNotJoined } from '../batching/joinable.ts';
import { joinRows } from '../batching/rows.ts';
import type { EngineModelHandle } from '../engine/engine.ts';
import { EngineCallError } from '../engine/engine-errors.ts';
import type { ModelSignature } from '../engine/engine-messages.ts';

/** The inputs of a warm-up twice, one after the other, in memory of their own; undefined where rows cannot be told. */
export function twice(inputs: Tensors): Tensors | undefined {
  if (rowsOf(inputs) === undefined) return undefined;
  return new Map([...inputs].map(([name, tensor]) => [name, joinRows([tensor, tensor])]));
}

/**
 * Why requests for a model cannot be joined; undefined where they can. What a model says of its shapes is tried out: a
 * graph model often knows little of its outputs.
 *
 * @param doubled from {@link twice}; its buffers move to the engine
 * @param run runs the model
 */
export async function tryJoining(
  { inputs, outputs }: ModelSignature,
  doubled: Tensors | undefined,
  run: (inputs: Tensors) => ReturnType<EngineModelHandle['run']>,
): Promise<string | undefined> {
  const why = whyNotJoined(inputs, outputs);
  if (why !== undefined) return why;
  const rows = doubled === undefined ? undefined : rowsOf(doubled);
  if (doubled === undefined || rows === undefined) return 'the inputs of the warm-up differ in their first dimension';
  try {
    const given = (await run(doubled)).outputs;
    for (const [name, { shape }] of given) {
      if (shape[0] !== rows) return `output "${name}" had ${shape[0]} rows for ${rows} of the input`;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineCallError)) throw error;
    return `the model failed on two requests at once: ${error.message}`;
  }
}
