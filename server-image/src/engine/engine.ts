import { errorMessage, InferenceError, ModelFailure } from '../failures.ts';
import type { EngineName } from '../model/served-model.ts';
import { EngineCallError } from './engine-errors.ts';
import type { EngineModel, ModelSignature, NamedTensors } from './engine-messages.ts';
import { EngineThread, type EngineWorker, NeverSentError } from './engine-thread.ts';
import type { Tensor } from './tensor.ts';

/** A thread that ends more often than this within {@link RESTART_WINDOW_MS} would go on doing so. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 60_000;

export interface EngineOptions {
  readonly name: EngineName;
  /** How many threads, each with every model in it. TensorFlow takes one: its operations use the cores. */
  readonly threads: number;
  /** How long one inference may run before its thread counts as hung, in milliseconds. */
  readonly watchdogMs: number;
  spawn(): EngineWorker;
  now(): number;
  /** The engine is beyond repair and the process must end; called at most once. */
  onFatal(failure: ModelFailure): void;
  /** A thread ended and is being replaced. */
  onRestart(error: Error): void;
}

interface Slot {
  thread: Promise<EngineThread>;
  current: EngineThread | undefined;
  pending: number;
}

/** One engine: its threads, the models in them, and their replacement when a thread ends. */
export class Engine {
  readonly name: EngineName;
  readonly #options: EngineOptions;
  readonly #slots: Slot[];
  /** How each model is read again, for a thread that replaces another. */
  readonly #models = new Map<number, () => Promise<EngineModel>>();
  #restarts: number[] = [];
  #nextModel = 1;
  #closed = false;
  #gpu = false;

  constructor(options: EngineOptions) {
    this.name = options.name;
    this.#options = options;
    this.#slots = Array.from({ length: options.threads }, () => {
      const slot: Slot = { thread: Promise.reject(new Error('not started')), current: undefined, pending: 0 };
      slot.thread.catch(() => undefined);
      return slot;
    });
  }

  /** Whether the engine computes on a GPU; known once it has started. */
  get gpu(): boolean {
    return this.#gpu;
  }

  /** @throws ModelFailure `EngineUnavailable` */
  async start(): Promise<void> {
    for (const slot of this.#slots) this.#startThread(slot);
    try {
      await Promise.all(this.#slots.map(({ thread }) => thread));
    } catch (error) {
      await this.close();
      throw new ModelFailure(
        'EngineUnavailable',
        `Could not start the engine ${this.name}: ${errorMessage(error)}. Choose another engine, or repair this one ("npm run build:tensorflow" builds TensorFlow)`,
        { cause: error },
      );
    }
  }

  /**
   * Loads a model into every thread, and calls `tryOut` on each before the next one is loaded.
   *
   * @param read gives the model's content; called again when a thread has to be replaced
   * @throws EngineCallError when the engine refuses the model, InferenceError when its thread ends
   */
  async load(
    read: () => Promise<EngineModel>,
    tryOut: (signature: ModelSignature, run: EngineModelHandle['run']) => Promise<void>,
  ): Promise<EngineModelHandle> {
    const model = this.#nextModel;
    this.#nextModel += 1;
    const content = await read();
    const has = new Map<Slot, EngineThread>();
    const loadInto = async (slot: Slot) => {
      const thread = await slot.thread;
      const signature = await give(thread, model, content);
      await tryOut(signature, (...call) => this.#runOn(slot, model, ...call));
      has.set(slot, thread);
      return signature;
    };
    const [first, ...others] = this.#slots;
    if (first === undefined) throw new RangeError('An engine needs at least one thread');
    try {
      const signature = await loadInto(first);
      await Promise.all(others.map(loadInto));
      this.#models.set(model, read);
      // A thread that was replaced meanwhile was filled without this model; one that is replaced from now on is not.
      for (const slot of this.#slots) {
        const thread = await slot.thread;
        if (has.get(slot) !== thread) await give(thread, model, await read());
      }
      return {
        signature,
        threads: this.#slots.length,
        run: (...call) => this.#runOn(this.#leastBusy(), model, ...call),
        unload: () => this.#unload(model),
      };
    } catch (error) {
      await this.#unload(model);
      throw error;
    }
  }

  /** How many tensors all threads together hold. */
  async countTensors(): Promise<number> {
    const counts = await Promise.all(this.#slots.map(async ({ thread }) => (await thread).call('countTensors', null)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#slots.map(({ current }) => current?.close()));
  }

  #startThread(slot: Slot): void {
    const thread: EngineThread = new EngineThread(
      this.#options.spawn(),
      { onExit: (error) => this.#restart(slot, thread, error), onHang: (runningMs) => this.#hung(thread, runningMs) },
      this.#options.watchdogMs,
    );
    slot.current = thread;
    slot.thread = this.#fill(thread);
    slot.thread.catch(() => undefined);
  }

  /** Waits until a thread has started, and gives it every model that the engine has. */
  async #fill(thread: EngineThread): Promise<EngineThread> {
    const { gpu } = await thread.started;
    this.#gpu = gpu;
    for (const [model, read] of this.#models) await give(thread, model, await read());
    return thread;
  }

  #restart(slot: Slot, ended: EngineThread, error: Error): void {
    if (this.#closed || slot.current !== ended) return;
    const now = this.#options.now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < RESTART_WINDOW_MS), now];
    if (this.#restarts.length > MAX_RESTARTS) {
      this.#fatal(`The engine ${this.name} ended ${this.#restarts.length} times within a minute`, error);
      return;
    }
    this.#options.onRestart(error);
    this.#startThread(slot);
    slot.thread.catch((cause) => {
      // A thread that ended while it was filled has been replaced already; another failure stays.
      if (!this.#closed && !(cause instanceof InferenceError) && this.#models.size > 0) {
        this.#fatal(`Could not bring the engine ${this.name} back after it ended`, cause);
      }
    });
  }

  /** JavaScript and wasm can be ended in the middle; a native call cannot, and holds its thread for ever. */
  #hung(thread: EngineThread, runningMs: number): void {
    const what = `An inference of the engine ${this.name} did not end within ${runningMs / 1000} s`;
    if (this.name === 'TensorFlow') {
      this.#fatal(what, undefined);
      return;
    }
    thread.end(new Error(what));
  }

  #fatal(what: string, cause: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    const why = cause === undefined ? '' : `: ${errorMessage(cause)}`;
    this.#options.onFatal(new ModelFailure('EngineCrashed', `${what}${why}`, { cause }));
  }

  #leastBusy(): Slot {
    return this.#slots.reduce((least, slot) => (slot.pending < least.pending ? slot : least));
  }

  async #runOn(
    slot: Slot,
    model: number,
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
    signal: AbortSignal,
    onBegin?: () => void,
  ): Promise<EngineResult> {
    slot.pending += 1;
    try {
      const own = [...inputs].map(([name, tensor]) => [name, ownBuffer(tensor)] as const);
      for (;;) {
        const thread = await slot.thread;
        try {
          const argument = { model, inputs: own, outputs };
          const { tensors, durationMs } = await thread.call('infer', argument, signal, buffers(own), onBegin);
          return { outputs: new Map(tensors), durationMs };
        } catch (error) {
          // What had not begun when its thread ended goes to the thread that follows.
          if (!(error instanceof NeverSentError) || this.#closed) throw error;
        }
      }
    } finally {
      slot.pending -= 1;
    }
  }

  async #unload(model: number): Promise<void> {
    this.#models.delete(model);
    await Promise.all(
      this.#slots.map(async ({ thread }) => {
        try {
          await (await thread).call('unload', { model });
        } catch (error) {
          // With its thread the model is gone as well.
          if (error instanceof EngineCallError) throw error;
        }
      }),
    );
  }
}

/** Loads a model into a thread; what else is with its content stays here. */
function give(thread: EngineThread, model: number, { format, json, weights }: EngineModel): Promise<ModelSignature> {
  return thread.call('load', { model, content: { format, json, weights } });
}

/** What one inference gave, by name. */
export interface EngineResult {
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** What the engine took for it, without the way there and back, in milliseconds. */
  readonly durationMs: number;
}

/** One model in an engine. */
export interface EngineModelHandle {
  /** How many inferences the engine can run at a time. */
  readonly threads: number;
  readonly signature: ModelSignature;
  /**
   * Runs the model in the thread with the fewest calls.
   *
   * @param onBegin called once the calls before this one, for whichever model, are done
   * @throws EngineCallError or InferenceError
   */
  run(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
    signal: AbortSignal,
    onBegin?: () => void,
  ): Promise<EngineResult>;
  /** Frees the model in all threads, after the calls before it. */
  unload(): Promise<void>;
}

/** A transfer moves a whole buffer: a view into a larger one, or into one shared with other tensors, is copied. */
function ownBuffer(tensor: Tensor): Tensor {
  if (tensor.data.byteLength === tensor.data.buffer.byteLength) return tensor;
  return { ...tensor, data: tensor.data.slice() };
}

function buffers(tensors: NamedTensors): ArrayBuffer[] {
  return [...new Set(tensors.map(([, { data }]) => data.buffer))];
}
