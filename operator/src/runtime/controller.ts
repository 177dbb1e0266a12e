import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ApiError, isConflict } from '../kube/errors.ts';
import type { Clock } from './clock.ts';
import type { ControllerMetrics, ReconcileOutcome } from './controller-metrics.ts';
import { TerminalError } from './errors.ts';
import type { OperatorMetrics } from './metrics.ts';
import { refOfKey } from './object-key.ts';
import type { RateLimiterOptions } from './rate-limiter.ts';
import type { Reconcile } from './reconcile.ts';
import { WorkQueue, type WorkQueueState } from './work-queue.ts';

export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many keys are worked on at a time. Default: 8; the work is waiting for the API server. */
  readonly workers?: number | undefined;
  readonly rateLimit?: RateLimiterOptions | undefined;
  /**
   * All keys that there are, asked when it begins to work; what is enqueued before is then ignored, so that a standby
   * collects nothing. Default: it begins with what was enqueued before.
   */
  readonly initialKeys?: (() => Iterable<string>) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
}

/** Takes keys from a work queue and reconciles them, as controller-runtime does. */
export class Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #workers: number;
  readonly #metrics: ControllerMetrics;
  #begun: boolean;
  #active = 0;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#workers = options.workers ?? 8;
    this.#begun = options.initialKeys === undefined;
    this.#metrics = options.metrics.forController(options.name, this.#workers);
    this.#queue = new WorkQueue({
      clock: options.clock,
      ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
      metrics: options.metrics.forWorkQueue(options.name, () => this.#queue),
    });
  }

  /** What it has in hand. */
  state(): { readonly name: string; readonly workers: number; readonly queue: WorkQueueState } {
    return { name: this.name, workers: this.#workers, queue: this.#queue.state() };
  }

  /** Asks for a reconcile of `namespace/name`. Any number of calls before it begins make one reconcile. */
  enqueue(key: string): void {
    if (this.#begun) this.#queue.add(key);
  }

  /** Asks for a reconcile in `delayMs`, unless one was asked for earlier. */
  enqueueAfter(key: string, delayMs: number): void {
    if (this.#begun) this.#queue.addAfter(key, delayMs);
  }

  /**
   * Works until `stop` aborts, and then until what is queued is done; `abort` reaches the reconciles themselves and ends
   * that too. Start it only when every store that `reconcile` reads has synced.
   */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    this.#begun = true;
    for (const key of this.#options.initialKeys?.() ?? []) this.enqueue(key);
    const shutDown = (): void => this.#queue.shutDown();
    stop.addEventListener('abort', shutDown, { once: true });
    if (stop.aborted) shutDown();
    try {
      await Promise.all(Array.from({ length: this.#workers }, () => this.#work(abort)));
    } finally {
      stop.removeEventListener('abort', shutDown);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.#queue.get();
      if (key === undefined) return;
      // Out of time: what is left in the queue is found again by the next start, which lists everything.
      if (!signal.aborted) await this.#process(key, signal);
      this.#queue.done(key);
    }
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { clock, reconcile } = this.#options;
    const { namespace, name } = refOfKey(key);
    const log = this.#options.log.child({ controller: this.name, namespace, name, reconcileID: randomUUID() });
    const startMs = clock.elapsedMs();
    this.#metrics.activeWorkers(++this.#active);
    let outcome: ReconcileOutcome;
    try {
      const { requeueAfterMs } = await reconcile(key, { signal, log });
      this.#queue.forget(key);
      outcome = 'success';
      if (requeueAfterMs !== undefined) {
        this.#queue.addAfter(key, requeueAfterMs);
        outcome = 'requeue_after';
      }
    } catch (error) {
      outcome = this.#failed(key, error, signal, log);
    }
    this.#metrics.activeWorkers(--this.#active);
    this.#metrics.reconciled(outcome, (clock.elapsedMs() - startMs) / 1000);
  }

  #failed(key: string, error: unknown, signal: AbortSignal, log: Logger): ReconcileOutcome {
    if (signal.aborted) {
      log.info('Reconcile was cut short by the shutdown');
      return 'error';
    }
    if (isConflict(error)) {
      // Somebody else was quicker, and the store will soon show what they wrote: nothing is wrong.
      log.debug({ err: error }, 'Reconcile met a conflict, trying again');
      this.#queue.addRateLimited(key);
      return 'requeue';
    }
    this.#metrics.error();
    if (error instanceof TerminalError) {
      this.#metrics.terminalError();
      this.#queue.forget(key);
      log.error({ err: error }, 'Reconcile failed, trying again only after a change');
      return 'error';
    }
    if (!(error instanceof Error)) this.#metrics.panic();
    const atLeastMs = (error instanceof ApiError && error.retryAfterMs) || 0;
    this.#queue.addRateLimited(key, atLeastMs);
    log.error({ err: error, failures: this.#queue.failures(key) }, 'Reconcile failed, trying again');
    return 'error';
  }
}
