import assert from 'node:assert/strict';
import type { SteadyLoad } from './steady-load.ts';

/** One interruption, and what became of the requests from shortly before it to shortly after it. */
export interface Phase {
  readonly name: string;
  readonly answered: number;
  readonly lost: number;
  readonly seconds: number;
}

/** Answered before an interruption begins, so that it falls into steady load. */
const REQUESTS_BEFORE = 300;

/**
 * Runs an interruption under load and goes on until enough requests are answered.
 *
 * @throws when a request was lost, with what became of each
 */
export async function losesNothing(
  load: SteadyLoad,
  { name, requests }: { readonly name: string; readonly requests: number },
  interrupt: () => Promise<void>,
): Promise<Phase> {
  const before = load.sofar();
  const begin = performance.now();
  await load.more(REQUESTS_BEFORE);
  await interrupt();
  const { answered } = load.sofar();
  await load.more(Math.max(REQUESTS_BEFORE, before.answered + requests - answered));
  const after = load.sofar();
  const failures = after.failures.slice(before.failures.length);
  const seconds = (performance.now() - begin) / 1000;
  const phase = { name, answered: after.answered - before.answered, lost: failures.length, seconds };
  console.log(`      ${describePhase(phase)}`);
  assert.deepEqual(failures, []);
  return phase;
}

export function describePhase({ name, answered, lost, seconds }: Phase): string {
  return `${String(answered).padStart(7)} requests answered, ${lost} lost in ${seconds.toFixed(1).padStart(5)} s: ${name}`;
}
