import type { Clock } from './clock.ts';

/** A write that was not sent, since this process does not hold the lease, or may no longer do so. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';

  constructor() {
    super('this process does not hold the lease, or has not renewed it in time');
  }
}

/**
 * Whether this process may write: it renewed the lease less than `validForMs` ago. Asked before each write, since timers
 * do not do: a process that was stopped and goes on has all of its timers overdue and its work in hand. The clock must
 * go on meanwhile, as Linux's CLOCK_MONOTONIC does for a stopped process (and not for a suspended machine).
 */
export class WriteFence {
  readonly #clock: Pick<Clock, 'elapsedMs'>;
  readonly #validForMs: number;
  #state: 'before' | 'leading' | 'over' = 'before';
  #renewedMs = 0;

  constructor(clock: Pick<Clock, 'elapsedMs'>, validForMs: number) {
    this.#clock = clock;
    this.#validForMs = validForMs;
  }

  /** @param sentMs when the request that took or renewed the lease was begun, which is before the server stored it */
  renewed(sentMs: number): void {
    if (this.#state === 'over') return;
    this.#state = 'leading';
    this.#renewedMs = sentMs;
  }

  /** Lets nothing pass any more, for good. */
  close(): void {
    this.#state = 'over';
  }

  /** For how long writes may pass yet, in milliseconds; 0: none may. */
  leftMs(): number {
    if (this.#state !== 'leading') return 0;
    return Math.max(0, this.#renewedMs + this.#validForMs - this.#clock.elapsedMs());
  }

  /** Before a write of the work. @throws {NotLeadingError} */
  readonly check = (): void => {
    if (this.leftMs() === 0) throw new NotLeadingError();
  };

  /** Before a write of the lease itself, which the first one is as well. @throws {NotLeadingError} */
  readonly checkLease = (): void => {
    if (this.#state !== 'before') this.check();
  };
}
