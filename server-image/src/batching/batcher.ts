import type { EngineResult } from '../engine/engine.ts';
import { errorMessage, InferenceError } from '../failures.ts';
import { Arrivals } from './arrivals.ts';
import { BatchCost } from './batch-cost.ts';
import type { BatchObserver } from './batch-observer.ts';
import type { Clock } from './clock.ts';
import { rowsOf, type Tensors } from './joinable.ts';
import { type InferCall, inputsOf, outputsOf, type Part, PendingRequest } from './pending-request.ts';
import { piecesToRetry } from './pieces-to-retry.ts';
import { cannotBeInTime, clientLeft, queueFull, tooLate } from './refusals.ts';
import { RequestQueue } from './request-queue.ts';
import { sliceRows } from './rows.ts';
import { type WaitLimits, waitMs } from './wait.ts';
import { WakeUp } from './wake-up.ts';

/** How requests are joined. */
export interface Joining extends WaitLimits {
  /** Equal for requests that can be joined. */
  groupOf(inputs: Tensors): string;
}

export interface BatcherOptions {
  /** undefined: each request runs alone. */
  readonly joining: Joining | undefined;
  /** Requests that may wait for the engine. */
  readonly maxQueueSize: number;
  /** Batches that the engine computes at a time. */
  readonly threads: number;
  readonly clock: Clock;
  readonly observer: BatchObserver;
  /**
   * Runs the model once.
   *
   * @param onBegin called when the engine begins with it: other models' batches may be before it
   * @throws InferenceError
   */
  run(inputs: Tensors, outputs: readonly string[], signal: AbortSignal, onBegin: () => void): Promise<EngineResult>;
}

/**
 * Batches that one thread of the engine has at most: the one that runs and, where no more could join it, the one that
 * follows without a pause.
 */
const BATCHES_PER_THREAD = 2;

/** A batch of several is not given up because one of their senders left. */
const NEVER = new AbortController().signal;

/**
 * The one way to a model: a bounded queue before the engine. While the engine is busy, requests pile up and form the
 * next batch; while it is free, wait.ts says whether one waits for others.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue = new RequestQueue();
  readonly #arrivals = new Arrivals();
  readonly #cost = new BatchCost();
  readonly #nextBatch: WakeUp;
  readonly #nextDeadline: WakeUp;
  #joining: Joining | undefined;
  #running = 0;
  /** Requests in the batches that run. */
  #underway = 0;
  /** Requests that the engine has not begun with: those in the queue, and those handed to it. */
  readonly #waiting = new Set<PendingRequest>();
  /** As the observer knows it. */
  #toldWaiting = 0;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#joining = options.joining;
    this.#nextBatch = new WakeUp(options.clock, () => this.#dispatch());
    this.#nextDeadline = new WakeUp(options.clock, () => this.#refuseLate());
  }

  /** @throws InferenceError `QueueFull`, `DeadlineExceeded`, `Cancelled`, and what the engine says */
  infer(call: InferCall): Promise<Tensors> {
    const nowMs = this.#options.clock.nowMs();
    const rows = rowsOf(call.inputs);
    this.#arrivals.arrived(nowMs, this.#queue.length + this.#underway + 1);
    const refusal = this.#refusal(call, rows ?? 1, nowMs);
    if (refusal !== undefined) return Promise.reject(refusal);
    const group = rows === undefined ? undefined : this.#joining?.groupOf(call.inputs);
    const request = new PendingRequest(call, rows ?? 1, group, nowMs);
    this.#queue.add(request);
    this.#waiting.add(request);
    this.#dispatch();
    if (this.#waiting.has(request)) {
      call.signal.addEventListener('abort', () => this.#fail(request, clientLeft(call.signal)), { once: true });
      if (call.deadlineMs < Number.POSITIVE_INFINITY) this.#nextDeadline.at(call.deadlineMs);
    }
    return request.answer;
  }

  #refusal({ signal, deadlineMs }: InferCall, rows: number, nowMs: number): InferenceError | undefined {
    if (signal.aborted) return clientLeft(signal);
    if (deadlineMs <= nowMs) return tooLate();
    // With the engine free it is tried, whatever was measured: else a bad measurement would never be corrected.
    if (this.#running < this.#options.threads) return undefined;
    const { fixedMs, perRowMs } = this.#cost.at(nowMs);
    const ahead = this.#queue.length;
    const batchesAhead =
      this.#joining === undefined ? ahead : Math.floor(this.#queue.rows / this.#joining.maxBatchSize);
    const waitMs = (batchesAhead * fixedMs + this.#queue.rows * perRowMs) / this.#options.threads;
    if (ahead >= this.#options.maxQueueSize) return queueFull(ahead, waitMs);
    if (nowMs + waitMs + fixedMs + rows * perRowMs > deadlineMs) return cannotBeInTime(ahead, waitMs);
    return undefined;
  }

  /** Sends what can go now. */
  #dispatch(): void {
    const { clock, threads } = this.#options;
    while (this.#queue.length > 0 && this.#running < threads * BATCHES_PER_THREAD) {
      const complete = this.#isComplete();
      if (this.#running >= threads && !complete) break;
      const nowMs = clock.nowMs();
      const delayMs = complete ? 0 : this.#delayMs(nowMs);
      if (delayMs > 0) {
        this.#nextBatch.at(nowMs + delayMs);
        break;
      }
      const taken = this.#queue.take(this.#joining?.maxBatchSize ?? 1);
      const parts = taken.filter((part) => this.#isWanted(part, nowMs));
      if (parts.length > 0) void this.#start(parts);
    }
    this.#tellWaiting();
  }

  /** Whether nothing more could join the next batch. */
  #isComplete(): boolean {
    const joining = this.#joining;
    if (joining === undefined || this.#queue.first?.group === undefined) return true;
    return this.#queue.rows >= joining.maxBatchSize && this.#queue.ready().rows >= joining.maxBatchSize;
  }

  #delayMs(nowMs: number): number {
    const { first } = this.#queue;
    const joining = this.#joining;
    if (first === undefined || joining === undefined) return 0;
    if (this.#queue.length >= this.#options.maxQueueSize) return 0;
    const arrivals = this.#arrivals;
    return waitMs(
      {
        nowMs,
        ...this.#queue.ready(),
        oldestMs: first.arrivedMs,
        lastArrivalMs: arrivals.lastMs,
        gapMs: arrivals.gapMs(nowMs),
        company: arrivals.together(nowMs, joining.maxDelayMs),
        cost: this.#cost.at(nowMs),
      },
      joining,
    );
  }

  /** Whether somebody waits for it and its time is not over, in which case it is told so. */
  #isWanted({ request }: Part, nowMs: number): boolean {
    if (request.call.deadlineMs <= nowMs) this.#fail(request, tooLate());
    return !request.settled;
  }

  /** Never rejects. */
  async #start(parts: readonly Part[]): Promise<void> {
    this.#running += 1;
    this.#underway += parts.length;
    const settle = await this.#run(parts);
    // The engine's next batch first: it computes while the answers to this one are written.
    this.#running -= 1;
    this.#underway -= parts.length;
    this.#arrivals.answered(this.#options.clock.nowMs(), parts.length);
    this.#dispatch();
    settle();
  }

  /** Runs a batch; what is returned gives the answers. A batch that fails is run again in pieces, to find the culprit. */
  async #run(parts: readonly Part[]): Promise<() => void> {
    try {
      const outputs = await this.#compute(parts);
      return () => deliver(parts, outputs);
    } catch (thrown) {
      const error = asInferenceError(thrown);
      const pieces = piecesToRetry(parts, error);
      if (pieces.length === 0) {
        return () => {
          for (const { request } of parts) this.#fail(request, error);
        };
      }
      for (const piece of pieces) {
        const nowMs = this.#options.clock.nowMs();
        const wanted = piece.filter((part) => this.#isWanted(part, nowMs));
        if (wanted.length > 0) (await this.#run(wanted))();
      }
      return () => undefined;
    }
  }

  async #compute(parts: readonly Part[]): Promise<Tensors> {
    const { run, observer, clock } = this.#options;
    const [first] = parts;
    const whole = parts.length === 1 && first !== undefined && first.rows === first.request.rows;
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const { outputs, durationMs } = await run(
      inputsOf(parts),
      outputsOf(parts),
      whole ? first.request.call.signal : NEVER,
      () => this.#began(parts),
    );
    this.#cost.measured(rows, durationMs, clock.nowMs());
    observer.computed(rows, durationMs);
    if (!whole) this.#checkRows(outputs, rows);
    return outputs;
  }

  #began(parts: readonly Part[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { request } of parts) {
      if (this.#waiting.delete(request)) this.#options.observer.began(nowMs - request.arrivedMs);
    }
    this.#tellWaiting();
  }

  /** A model may say of an output that its first dimension is open, and not mean the rows. */
  #checkRows(outputs: Tensors, rows: number): void {
    for (const [name, { shape }] of outputs) {
      if (shape[0] === rows) continue;
      const why = `output "${name}" has ${shape[0]} rows for ${rows} of the input`;
      if (this.#joining !== undefined) this.#options.observer.notJoined(why);
      this.#joining = undefined;
      for (const request of this.#queue.all()) if (request.left === request.rows) request.group = undefined;
      throw new InferenceError('Failed', `The rows of a request cannot be computed apart: ${why}`);
    }
  }

  #refuseLate(): void {
    const nowMs = this.#options.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    // Of a large request a part may have begun, and the rest is in the queue.
    for (const request of new Set([...this.#waiting, ...this.#queue.all()])) {
      if (request.call.deadlineMs <= nowMs) this.#fail(request, tooLate());
      else nextMs = Math.min(nextMs, request.call.deadlineMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#nextDeadline.at(nextMs);
  }

  #fail(request: PendingRequest, error: InferenceError): void {
    if (request.left > 0) this.#queue.remove(request);
    this.#waiting.delete(request);
    request.fail(error);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    const change = this.#waiting.size - this.#toldWaiting;
    if (change === 0) return;
    this.#toldWaiting += change;
    this.#options.observer.waiting(change);
  }
}

function deliver(parts: readonly Part[], outputs: Tensors): void {
  let offset = 0;
  for (const { request, start, rows } of parts) {
    const own =
      parts.length === 1
        ? outputs
        : new Map([...outputs].map(([name, tensor]) => [name, sliceRows(tensor, offset, rows)]));
    request.deliver(start, rows, own);
    offset += rows;
  }
}

function asInferenceError(error: unknown): InferenceError {
  if (error instanceof InferenceError) return error;
  return new InferenceError('Failed', `The model could not be run: ${errorMessage(error)}`, { cause: error });
}
