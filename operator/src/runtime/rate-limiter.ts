export interface RateLimiterOptions {
  /** The delay after the first failure. Default: 5 ms, as client-go. */
  readonly baseMs?: number;
  /**
   * Default: 5 minutes, cert-manager's cap for what a user waits for; client-go's 1,000 s leaves somebody who has just
   * raised a quota (which no watch tells us of) waiting for a quarter of an hour.
   */
  readonly capMs?: number;
}

/** Exponential delays for each key (client-go's ItemExponentialFailureRateLimiter). */
export class RateLimiter {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #failures = new Map<string, number>();

  constructor(options: RateLimiterOptions = {}) {
    this.#baseMs = options.baseMs ?? 5;
    this.#capMs = options.capMs ?? 300_000;
  }

  /** Counts a failure of `key` and says how long to wait. */
  nextDelayMs(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return Math.min(this.#capMs, this.#baseMs * 2 ** failures);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** What failed and was not forgotten since, with how often in a row. */
  failing(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}
