import type { CancelTimer, Clock } from './clock.ts';

/** A timer for the earliest of the moments that it is given. */
export class WakeUp {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Calls back at this moment of the clock, unless it does so before. */
  at(ms: number): void {
    if (ms >= this.#atMs) return;
    this.#cancel?.();
    this.#atMs = ms;
    this.#cancel = this.#clock.after(Math.max(0, ms - this.#clock.nowMs()), () => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.#callback();
    });
  }
}
