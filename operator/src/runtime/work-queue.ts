import type { Clock } from './clock.ts';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';

/** What the queue tells its metrics. */
export interface WorkQueueMetrics {
  added(depth: number): void;
  started(depth: number, queuedMs: number): void;
  finished(workMs: number): void;
  retried(): void;
}

export interface WorkQueueState {
  /** For a worker, the next first. */
  readonly waiting: readonly string[];
  readonly working: readonly { readonly key: string; readonly forMs: number }[];
  /** Until they are added again: a retry, or a look at a certain time. */
  readonly delayed: readonly { readonly key: string; readonly inMs: number }[];
  /** With how often in a row. */
  readonly failing: readonly { readonly key: string; readonly failures: number }[];
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly rateLimit?: RateLimiterOptions;
  readonly metrics?: WorkQueueMetrics;
}

/**
 * A FIFO of keys after client-go's util/workqueue. A key that is waiting is not added twice; a key that is added while
 * a worker has it waits until that worker is done. So no key is ever in the hands of two workers, and no addition is
 * lost.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #limiter: RateLimiter;
  readonly #metrics: WorkQueueMetrics | undefined;
  /** In the order of work. Every key in here is dirty and not in processing. */
  readonly #queue = new Set<string>();
  /** What needs work, with the moment since when. */
  readonly #dirty = new Map<string, number>();
  /** What a worker has, with the moment since when. */
  readonly #processing = new Map<string, number>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();
  readonly #waiting: ((key: string | undefined) => void)[] = [];
  #shutDown = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#limiter = new RateLimiter(options.rateLimit);
    this.#metrics = options.metrics;
  }

  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#queue.size;
  }

  /** For how long the keys in work have been there, in milliseconds. */
  processingMs(): readonly number[] {
    const now = this.#clock.elapsedMs();
    return [...this.#processing.values()].map((since) => now - since);
  }

  /** What there is in hand. */
  state(): WorkQueueState {
    const now = this.#clock.elapsedMs();
    return {
      waiting: [...this.#queue],
      working: Array.from(this.#processing, ([key, since]) => ({ key, forMs: Math.round(now - since) })),
      delayed: Array.from(this.#delayed, ([key, { atMs }]) => ({ key, inMs: Math.round(atMs - now) })),
      failing: Array.from(this.#limiter.failing(), ([key, failures]) => ({ key, failures })),
    };
  }

  /** After `shutDown`, nothing is added any more. */
  add(key: string): void {
    if (this.#shutDown || this.#dirty.has(key)) return;
    this.#dirty.set(key, this.#clock.elapsedMs());
    if (!this.#processing.has(key)) this.#enqueue(key);
    this.#metrics?.added(this.#queue.size);
  }

  /** Adds the key in `delayMs`; of several delays for one key the one that ends first counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.elapsedMs() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.atMs <= atMs) return;
    earlier?.cancel();
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, cancel });
  }

  /** Adds the key after a delay that grows with each call until `forget`; waits at least `atLeastMs`. */
  addRateLimited(key: string, atLeastMs = 0): void {
    this.#metrics?.retried();
    this.addAfter(key, Math.max(atLeastMs, this.#limiter.nextDelayMs(key)));
  }

  /** The key did well: its next failure counts as the first. */
  forget(key: string): void {
    this.#limiter.forget(key);
  }

  /** How often in a row the key was added rate-limited. */
  failures(key: string): number {
    return this.#limiter.failures(key);
  }

  /** The next key, once there is one; `undefined` when the queue is shut down and empty. Each needs a `done`. */
  get(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#serve();
    });
  }

  /** The worker is through with the key. */
  done(key: string): void {
    const since = this.#processing.get(key);
    if (since === undefined) return;
    this.#processing.delete(key);
    this.#metrics?.finished(this.#clock.elapsedMs() - since);
    if (this.#dirty.has(key)) this.#enqueue(key);
    this.#serve();
  }

  /** Takes nothing in any more and forgets the delayed keys; workers get what is queued, then `undefined`. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#serve();
  }

  #enqueue(key: string): void {
    this.#queue.add(key);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const [key] = this.#queue;
      if (key === undefined && !this.#isDrained()) return;
      const resolve = this.#waiting.shift();
      if (key !== undefined) this.#take(key);
      resolve?.(key);
    }
  }

  /** A key in work that is dirty comes back, so a worker has to stay for it. */
  #isDrained(): boolean {
    return this.#shutDown && this.#dirty.size === 0;
  }

  #take(key: string): void {
    const now = this.#clock.elapsedMs();
    const since = this.#dirty.get(key) ?? now;
    this.#queue.delete(key);
    this.#dirty.delete(key);
    this.#processing.set(key, now);
    this.#metrics?.started(this.#queue.size, now - since);
  }
}
