import assert from 'node:assert/strict';
import type { SteadyLoad } from './steady-load.ts';

/** Answered before an interruption begins, so that it falls into steady load. */
const REQUESTS_BEFORE = 300;

/**
 * Runs an interruption under load, goes on until enough requests are answered, and prints what became of them.
 *
 * @throws when a request was lost, with what became of each
 */
export async function losesNothing(
  load: SteadyLoad,
  { name, requests }: { readonly name: string; readonly requests: number },
  interrupt: () => Promise<void>,
): Promise<void> {
  const before = load.sofar();
  const begin = performance.now();
  await load.more(REQUESTS_BEFORE);
  await interrupt();
  const { answered } = load.sofar();
  await load.more(Math.max(REQUESTS_BEFORE, before.answered + requests - answered));
  const after = load.sofar();
  const failures = after.failures.slice(before.failures.length);
  const seconds = (performance.now() - begin) / 1000;
  const answeredNow = String(after.answered - before.answered).padStart(7);
  console.log(
    `      ${answeredNow} requests answered, ${failures.length} lost in ${seconds.toFixed(1).padStart(5)} s: ${name}`,
  );
  assert.deepEqual(failures, []);
}
