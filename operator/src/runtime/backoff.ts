import type { Clock } from './clock.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
  /** Each delay is stretched by a random part of up to this factor: 1 means between once and twice as long. */
  readonly jitter: number;
  /** After so long without a failure the next one counts as the first. */
  readonly resetAfterMs: number;
}

/** client-go's numbers for lists and watches (tools/cache/reflector.go). */
export const reflectorBackoff: BackoffOptions = { baseMs: 800, capMs: 30_000, jitter: 1, resetAfterMs: 120_000 };

/** Delays between tries that double up to a cap. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #lastFailureMs = Number.NEGATIVE_INFINITY;

  /** `random` gives numbers in [0, 1). */
  constructor(options: BackoffOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** The next failure counts as the first. */
  reset(): void {
    this.#failures = 0;
  }

  /** Counts a failure and says how long to wait before the next try. */
  nextDelayMs(): number {
    const { baseMs, capMs, jitter, resetAfterMs } = this.#options;
    const now = this.#clock.elapsedMs();
    if (now - this.#lastFailureMs >= resetAfterMs) this.#failures = 0;
    this.#lastFailureMs = now;
    const delayMs = Math.min(capMs, baseMs * 2 ** this.#failures);
    this.#failures++;
    return delayMs * (1 + jitter * this.#random());
  }
}
