import type { Clock } from './clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock for tests: time passes only in `advance`. */
export class FakeClock implements Clock {
  #now: number;
  readonly #start: number;
  #jumpedMs = 0;
  #timers: Timer[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
    this.#start = startMs;
  }

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  elapsedMs(): number {
    return this.#now - this.#start;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Somebody sets the machine's clock: no time passes. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  /** The process stands still: time passes, and no callback is called yet. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** How many callbacks are waiting. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets `ms` pass: runs each callback that falls due, in order, and what follows from it before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let timer = this.#nextBefore(end); timer !== undefined; timer = this.#nextBefore(end)) {
      const due = timer;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await settle();
    }
    this.#now = end;
  }

  #nextBefore(end: number): Timer | undefined {
    return this.#timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}

/** Lets everything that can go on without time passing go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
