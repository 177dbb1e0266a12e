import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface EventuallyOptions<T> {
  /** What the wait is for, in a test's words: `the Deployment carries the new image`. */
  readonly because: string;
  /** Default: any value will do; the probe says no by throwing. */
  readonly until?: ((value: T) => boolean) | undefined;
  /** Generous: it costs nothing when the condition comes true. Default: 30 s. */
  readonly deadlineMs?: number | undefined;
  /** Between two probes. Default: 50 ms. */
  readonly intervalMs?: number | undefined;
}

/**
 * Repeats `probe` until it neither throws nor returns a value that `until` refuses.
 *
 * @returns that value
 * @throws after the deadline, with the last value or error in the message
 */
export async function eventually<T>(probe: () => T | Promise<T>, options: EventuallyOptions<T>): Promise<T> {
  const { because, until = () => true, deadlineMs = 30_000, intervalMs = 50 } = options;
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const value = await probe();
      if (until(value)) return value;
      last = `the last value was ${describeValue(value)}`;
    } catch (error) {
      last = `the last try failed: ${error instanceof Error ? error.message : inspect(error)}`;
      cause = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`Waited ${deadlineMs / 1000} s until ${because}; ${last}`, { cause });
    }
    await delay(intervalMs);
  }
}

/** Without `managedFields`, which no wait is for and which fill a screen. */
function describeValue(value: unknown): string {
  const text = JSON.stringify(value, (key, field: unknown) => (key === 'managedFields' ? undefined : field));
  return inspect(text === undefined ? value : JSON.parse(text), { depth: 8, breakLength: 120 });
}
