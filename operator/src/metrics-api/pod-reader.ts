import type { Clock } from '../runtime/clock.ts';
import { samplesIn } from '../runtime/exposition.ts';
import { Limiter } from '../runtime/limiter.ts';
import type { Reading, ReadMetric } from './metric-source.ts';
import { SERVED_METRICS } from './served-metrics.ts';
import type { ServerPod } from './server-pod.ts';

export interface PodReaderOptions {
  /** The text at `url`. Rejects when there is none, or when the signal aborts. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>;
  readonly clock: Clock;
  /** Told of each attempt, for metrics. */
  readonly onRead?: ((result: 'ok' | 'failed' | 'timeout') => void) | undefined;
  /** A pod that has not answered for so long does not answer. Default: 1 s. */
  readonly timeoutMs?: number | undefined;
  /** For so long an answer serves everybody who asks. Default: 1 s. */
  readonly shareMs?: number | undefined;
  /** For a pod that did not answer in time the last time, nobody waits longer than this. Default: 10 ms. */
  readonly graceMs?: number | undefined;
  /** Reads at the same time. Default: 256, and a quarter of it for pods that did not answer in time. */
  readonly concurrency?: number | undefined;
}

interface Memory {
  reading: Reading | undefined;
  underWay: Promise<Reading | undefined> | undefined;
  /** How often in a row it did not answer in time. */
  timeouts: number;
  /** Not asked before that moment of the clock's elapsed time. */
  askAgainMs: number;
}

const RETRY_BASE_MS = 2000;
const RETRY_CAP_MS = 30_000;

/**
 * Reads the metrics of pods. One that hangs costs a query its timeout once; from then on it is asked in the background,
 * more and more seldom, until it answers. One that refuses the connection costs nothing and is asked each time.
 */
export class PodReader {
  readonly #options: PodReaderOptions;
  readonly #memories = new Map<string, Memory>();
  readonly #reads: Limiter;
  readonly #retries: Limiter;
  readonly #wanted = new Set(SERVED_METRICS);

  constructor(options: PodReaderOptions) {
    this.#options = options;
    const concurrency = options.concurrency ?? 256;
    this.#reads = new Limiter(concurrency);
    this.#retries = new Limiter(Math.max(1, concurrency / 4));
  }

  readonly readAll: ReadMetric = (pods) => Promise.all(pods.map(this.read));

  /** What the pod says, at most `shareMs` old; undefined where it does not answer. Never rejects. */
  readonly read = async (pod: ServerPod): Promise<Reading | undefined> => {
    const { clock, timeoutMs = 1000, shareMs = 1000, graceMs = 10 } = this.#options;
    if (pod.metricsUrl === undefined) return undefined;
    const memory = this.#memoryOf(pod);
    if (memory.reading !== undefined && clock.now() - memory.reading.at <= shareMs) return memory.reading;
    if (memory.timeouts > 0 && memory.underWay === undefined && clock.elapsedMs() < memory.askAgainMs) return undefined;
    memory.underWay ??= this.#begin(memory, pod.metricsUrl);
    // With many pods in line a read may begin late: nobody waits for that either.
    return await within(clock, memory.timeouts > 0 ? graceMs : 2 * timeoutMs, memory.underWay);
  };

  /** Forgets a pod that is gone. */
  forget(uid: string): void {
    this.#memories.delete(uid);
  }

  #memoryOf(pod: ServerPod): Memory {
    const known = this.#memories.get(pod.metadata.uid);
    if (known !== undefined) return known;
    const memory: Memory = { reading: undefined, underWay: undefined, timeouts: 0, askAgainMs: 0 };
    this.#memories.set(pod.metadata.uid, memory);
    return memory;
  }

  async #begin(memory: Memory, url: string): Promise<Reading | undefined> {
    const limiter = memory.timeouts > 0 ? this.#retries : this.#reads;
    try {
      memory.reading = await limiter.run(() => this.#fetch(memory, url));
      return memory.reading;
    } finally {
      memory.underWay = undefined;
    }
  }

  async #fetch(memory: Memory, url: string): Promise<Reading | undefined> {
    const { clock, fetchText, onRead, timeoutMs = 1000 } = this.#options;
    const abort = new AbortController();
    const cancel = clock.schedule(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)));
    const at = clock.now();
    try {
      const samples = samplesIn(await fetchText(url, abort.signal), this.#wanted);
      memory.timeouts = 0;
      onRead?.('ok');
      return { at, samples };
    } catch {
      if (!abort.signal.aborted) {
        memory.timeouts = 0;
        onRead?.('failed');
        return undefined;
      }
      memory.askAgainMs = clock.elapsedMs() + Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** memory.timeouts);
      memory.timeouts++;
      onRead?.('timeout');
      return undefined;
    } finally {
      cancel();
    }
  }
}

async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.schedule(ms, () => late.resolve(undefined));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    cancel();
  }
}
