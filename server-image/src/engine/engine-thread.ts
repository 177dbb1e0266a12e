import { errorMessage, InferenceError } from '../failures.ts';
import { EngineCallError } from './engine-errors.ts';
import type { EngineCallName, EngineCalls, EngineReply, EngineRequest, EngineStarted } from './engine-messages.ts';

/** What is used of a `node:worker_threads` Worker. */
export interface EngineWorker {
  postMessage(message: EngineRequest, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: EngineStarted | EngineReply) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<unknown>;
}

export interface EngineThreadEvents {
  /** The thread ended by itself, with what it last threw. Called at most once, and never after `close`. */
  onExit(error: Error): void;
  /** An inference has run for longer than the watchdog's time. Called at most once for each such inference. */
  onHang(runningMs: number): void;
}

/**
 * Two calls at most are with the worker: the one that runs and the one that follows without a pause. All others wait
 * here, where they can still be dropped.
 */
const WITH_WORKER = 2;

/** The thread ended before it was given a call: nothing of the call was moved or done. */
export class NeverSentError extends InferenceError {
  constructor(cause: Error) {
    super('EngineRestarted', `The engine ended before the request was run: ${cause.message}`, { cause });
  }
}

interface Call {
  readonly request: EngineRequest;
  readonly transfer: readonly ArrayBuffer[];
  resolve(value: never): void;
  reject(error: Error): void;
  stopListening(): void;
  onBegin(): void;
}

/** One worker thread with an engine in it: a queue of calls and their answers. It does not come back when it ends. */
export class EngineThread {
  readonly started: Promise<EngineStarted>;
  readonly #worker: EngineWorker;
  readonly #events: EngineThreadEvents;
  readonly #watchdogMs: number;
  readonly #waiting: Call[] = [];
  readonly #sent = new Map<number, Call>();
  #nextId = 1;
  #end: Error | undefined;
  #closed = false;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param watchdogMs how long one inference may run, in milliseconds; loading is not limited */
  constructor(worker: EngineWorker, events: EngineThreadEvents, watchdogMs: number) {
    this.#worker = worker;
    this.#events = events;
    this.#watchdogMs = watchdogMs;
    const { promise, resolve, reject } = Promise.withResolvers<EngineStarted>();
    this.started = promise;
    // Whoever starts a thread waits for it; without this, a thread closed before that would be an unhandled rejection.
    promise.catch(() => undefined);
    let thrown: unknown;
    worker.on('message', (message) => (message.type === 'started' ? resolve(message) : this.#receive(message)));
    worker.on('error', (error) => {
      thrown = error;
    });
    worker.on('exit', (code) => {
      const why = thrown === undefined ? `its thread ended with code ${code}` : errorMessage(thrown);
      const error = new Error(why, { cause: thrown });
      reject(error);
      this.#stop(error);
    });
  }

  /**
   * Calls the engine. The buffers in `transfer` move to the engine's thread.
   *
   * @throws EngineCallError when the engine reports a failure
   * @throws InferenceError `Cancelled` when the signal is aborted before the call began, `EngineRestarted` when the
   *   thread ends beneath it
   * @throws NeverSentError when the thread ends while the call still waits: another thread can take it as it is
   * @param onBegin called when the calls before this one are done
   */
  call<Name extends EngineCallName>(
    name: Name,
    argument: EngineCalls[Name]['takes'],
    signal?: AbortSignal,
    transfer: readonly ArrayBuffer[] = [],
    onBegin: () => void = () => undefined,
  ): Promise<EngineCalls[Name]['gives']> {
    if (this.#end !== undefined) return Promise.reject(restarted(this.#end));
    if (signal?.aborted) return Promise.reject(cancelled(signal));
    const { promise, resolve, reject } = Promise.withResolvers<EngineCalls[Name]['gives']>();
    const drop = () => {
      const index = this.#waiting.indexOf(call);
      if (index < 0 || signal === undefined) return;
      this.#waiting.splice(index, 1);
      reject(cancelled(signal));
    };
    signal?.addEventListener('abort', drop, { once: true });
    const call: Call = {
      request: { id: this.#nextId, call: name, argument } as EngineRequest,
      transfer,
      resolve,
      reject,
      stopListening: () => signal?.removeEventListener('abort', drop),
      onBegin,
    };
    this.#nextId += 1;
    this.#waiting.push(call);
    this.#send();
    return promise;
  }

  /** Ends the thread as if it had thrown: calls that wait or run reject, and `onExit` is told. */
  end(error: Error): void {
    this.#stop(error);
    // Whatever is left of the worker cannot be asked any more, and nobody waits for it.
    this.#worker.terminate().catch(() => undefined);
  }

  /** Ends the thread. Calls that wait or run reject. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop(new Error('the engine was closed'));
    await this.#worker.terminate();
  }

  #send(): void {
    while (this.#sent.size < WITH_WORKER) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      call.stopListening();
      try {
        this.#worker.postMessage(call.request, call.transfer);
      } catch (error) {
        const message = `Could not hand it to the engine's thread: ${errorMessage(error)}`;
        call.reject(new EngineCallError({ kind: 'Failed', message }));
        continue;
      }
      this.#sent.set(call.request.id, call);
      if (this.#sent.size === 1) this.#begin(call);
    }
  }

  #receive(reply: EngineReply): void {
    const call = this.#sent.get(reply.id);
    if (call === undefined) return;
    this.#sent.delete(reply.id);
    if ('failure' in reply) {
      call.reject(new EngineCallError(reply.failure));
      if (reply.failure.fatal) {
        // It is ending: whoever calls from now on shall find the thread that follows.
        this.end(new Error(reply.failure.message));
        return;
      }
    } else call.resolve(reply.value as never);
    clearTimeout(this.#watchdog);
    const [next] = this.#sent.values();
    if (next !== undefined) this.#begin(next);
    this.#send();
  }

  /** The worker answers in order, so the oldest call that was sent is the one that runs. */
  #begin(call: Call): void {
    call.onBegin();
    if (call.request.call !== 'infer') return;
    this.#watchdog = setTimeout(() => this.#events.onHang(this.#watchdogMs), this.#watchdogMs);
    this.#watchdog.unref();
  }

  #stop(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    clearTimeout(this.#watchdog);
    for (const call of this.#sent.values()) call.reject(restarted(error));
    this.#sent.clear();
    for (const call of this.#waiting.splice(0)) {
      call.stopListening();
      call.reject(new NeverSentError(error));
    }
    if (!this.#closed) this.#events.onExit(error);
  }
}

function restarted(cause: Error): InferenceError {
  return new InferenceError('EngineRestarted', `The engine ended beneath the request: ${cause.message}`, { cause });
}

function cancelled(signal: AbortSignal): InferenceError {
  return new InferenceError('Cancelled', 'The request was given up before its inference began', {
    cause: signal.reason,
  });
}
