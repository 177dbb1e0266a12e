import type { EngineResult } from '../../engine/engine.ts';
import type { Tensor, TensorSpec } from '../../engine/tensor.ts';
import { InferenceError } from '../../failures.ts';
import { Batcher, type BatcherOptions } from '../batcher.ts';
import type { Clock } from '../clock.ts';
import { groupOf, type Tensors } from '../joinable.ts';

/** For tests: a clock that stands until it is moved on. */
export class ManualClock implements Clock {
  #nowMs = 1000;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  /** How many timers were asked for. */
  armed = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.armed += 1;
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on by so much, and at each timer on the way lets everything happen that follows from it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.callback();
      await settled();
    }
    this.#nowMs = endMs;
  }
}

/** Lets promises that are kept be acted upon. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Inputs and outputs of the simulated model: `double` is twice the first number of each row, `negative` is -1 times. */
export const INPUTS: readonly TensorSpec[] = [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }];

/** A row of these fails the batch that it is in, breaks the engine, or is in it when it ends. */
export const BAD = 666;
export const POISON = 888;
export const FATAL = 999;

export interface SimulatedBatch {
  /** The first number of each row. */
  readonly values: readonly number[];
  readonly width: number;
  readonly outputs: readonly string[];
}

/** A batcher before an engine that takes time by the clock, and everything that was seen of the two. */
export class Simulation {
  readonly clock = new ManualClock();
  readonly batches: SimulatedBatch[] = [];
  readonly waits: number[] = [];
  readonly notJoined: string[] = [];
  readonly batcher: Batcher;
  /** Batches that the engine has, and the most that it ever had. */
  running = 0;
  mostRunning = 0;
  waiting = 0;
  mostWaiting = 0;
  /** When all of the engine was last taken. */
  lastFullMs = Number.NEGATIVE_INFINITY;
  /** The longest that anybody waited while some of the engine was free. */
  longestIdleWaitMs = 0;

  /** @param costMs what a batch of so many rows takes; a test that wants uneven rows gives `rowsOut` */
  constructor(
    options: Partial<Omit<BatcherOptions, 'joining'>> & {
      readonly join?: { readonly maxBatchSize: number; readonly maxDelayMs: number };
      readonly costMs?: (rows: number) => number;
      readonly rowsOut?: (rows: number) => number;
      /** How long a batch lies at the engine behind those of other models. Default: 0. */
      readonly behindMs?: number;
    },
  ) {
    const { join, costMs = () => 1, rowsOut = (rows) => rows, behindMs = 0, ...rest } = options;
    const threads = rest.threads ?? 1;
    this.batcher = new Batcher({
      joining: join === undefined ? undefined : { ...join, groupOf: (inputs) => groupOf(inputs, INPUTS) },
      maxQueueSize: 1000,
      clock: this.clock,
      observer: {
        waiting: (change) => {
          this.waiting += change;
          this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
        },
        began: (waitedMs) => {
          this.waits.push(waitedMs);
          if (this.running >= threads) this.lastFullMs = this.clock.nowMs();
          const idleMs = Math.min(waitedMs, this.clock.nowMs() - this.lastFullMs);
          this.longestIdleWaitMs = Math.max(this.longestIdleWaitMs, idleMs);
        },
        computed: () => undefined,
        notJoined: (why) => this.notJoined.push(why),
      },
      run: async (inputs, outputs, _signal, onBegin) => {
        if (behindMs > 0) await new Promise<void>((resolve) => this.clock.after(behindMs, resolve));
        onBegin();
        return this.#run(inputs, outputs, threads, costMs, rowsOut);
      },
      ...rest,
      threads,
    });
  }

  /** Asks for rows that begin with these values. */
  ask(
    values: readonly number[],
    {
      width = 1,
      outputs = ['double'],
      signal = new AbortController().signal,
      timeoutMs = Number.POSITIVE_INFINITY,
    }: { width?: number; outputs?: readonly string[]; signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<Tensors> {
    const data = Float32Array.from(values.flatMap((value) => Array<number>(width).fill(value)));
    const inputs = new Map([['x', { datatype: 'FP32' as const, shape: [values.length, width], data }]]);
    return this.batcher.infer({ inputs, outputs, signal, deadlineMs: this.clock.nowMs() + timeoutMs });
  }

  async #run(
    inputs: Tensors,
    outputs: readonly string[],
    threads: number,
    costMs: (rows: number) => number,
    rowsOut: (rows: number) => number,
  ): Promise<EngineResult> {
    const { shape = [], data = new Float32Array() } = inputs.get('x') ?? {};
    const [rows = 0, width = 1] = shape;
    const values = Array.from({ length: rows }, (_, row) => Number(data[row * width]));
    this.batches.push({ values, width, outputs });
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const noteFull = () => {
      if (this.running >= threads) this.lastFullMs = this.clock.nowMs();
    };
    noteFull();
    const durationMs = costMs(rows);
    await new Promise<void>((resolve) => this.clock.after(durationMs, resolve));
    noteFull();
    this.running -= 1;
    if (values.includes(POISON)) throw new InferenceError('EngineBroken', 'The engine broke');
    if (values.includes(FATAL)) throw new InferenceError('EngineRestarted', 'The engine ended');
    if (values.includes(BAD)) throw new InferenceError('Failed', 'A row is bad');
    const given = new Map(outputs.map((name) => [name, outputOf(name, values.slice(0, rowsOut(rows)))]));
    return { outputs: given, durationMs };
  }
}

function outputOf(name: string, values: readonly number[]): Tensor {
  const factor = name === 'double' ? 2 : -1;
  return { datatype: 'FP32', shape: [values.length, 1], data: Float32Array.from(values, (value) => value * factor) };
}

/** What a request was answered: the outputs' values by name, or the code of the error. */
export async function told(answer: Promise<Tensors>): Promise<Readonly<Record<string, readonly number[]>> | string> {
  try {
    return Object.fromEntries([...(await answer)].map(([name, { data }]) => [name, [...data]]));
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    return error.code;
  }
}
