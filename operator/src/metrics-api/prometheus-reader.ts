import type { Clock } from '../runtime/clock.ts';
import { Limiter } from '../runtime/limiter.ts';
import { type ReadMetric, SourceUnavailableError } from './metric-source.ts';
import { expressionFor, readingsIn, type Vector } from './prometheus-query.ts';

export interface PrometheusReaderOptions {
  /** Evaluates an instant query. Rejects with what went wrong, in a few words, or when the signal aborts. */
  readonly query: (expression: string, signal: AbortSignal) => Promise<Vector>;
  /** Host and port: what errors name. */
  readonly host: string;
  readonly clock: Clock;
  /** What was scraped longer ago is not used. */
  readonly maxAgeMs: number;
  /** Told of each query, for metrics. */
  readonly onQuery?: ((result: 'ok' | 'failed' | 'timeout') => void) | undefined;
  /** Nobody waits longer for an answer, the wait for one's turn included. Default: 3 s. */
  readonly timeoutMs?: number | undefined;
  /** For so long an answer serves everybody who asks the same. Default: 1 s. */
  readonly shareMs?: number | undefined;
  /** Queries at the same time. Default: 10, half of what Prometheus evaluates at once. */
  readonly concurrency?: number | undefined;
}

/** After an answer that did not come in time, one query in so long tries; all others are refused at once. */
const RETRY_MS = 2000;

/**
 * Reads the metrics of pods from a Prometheus server. One that is down or slow is an error for who asks, never a value:
 * the autoscaler keeps the size. One that hangs holds up a query every 2 s, not each.
 */
export class PrometheusReader {
  readonly #options: PrometheusReaderOptions;
  readonly #answers = new Map<string, Promise<Vector>>();
  readonly #limiter: Limiter;
  /** The last query did not get an answer in time. */
  #late = false;
  #nextTryMs = 0;

  constructor(options: PrometheusReaderOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency ?? 10);
  }

  readonly read: ReadMetric = async (pods, metric) => {
    const ready = pods.filter(({ metricsUrl }) => metricsUrl !== undefined);
    const [first] = ready;
    if (first === undefined) return pods.map(() => undefined);
    const names = ready.map(({ metadata }) => metadata.name);
    const vector = await this.#shared(expressionFor(metric, first.metadata.namespace ?? '', names));
    const readings = readingsIn(vector, metric, this.#options.maxAgeMs);
    return pods.map(({ metricsUrl, metadata }) => (metricsUrl === undefined ? undefined : readings.get(metadata.name)));
  };

  #shared(expression: string): Promise<Vector> {
    const known = this.#answers.get(expression);
    if (known !== undefined) return known;
    const { clock, shareMs = 1000 } = this.#options;
    const forget = () => this.#answers.delete(expression);
    const answer = this.#ask(expression);
    this.#answers.set(expression, answer);
    answer.then(() => clock.schedule(shareMs, forget), forget);
    return answer;
  }

  async #ask(expression: string): Promise<Vector> {
    const { clock, query, onQuery, timeoutMs = 3000, host } = this.#options;
    const late = new SourceUnavailableError(`Prometheus at ${host} did not answer within ${timeoutMs / 1000} s`);
    if (this.#late && clock.elapsedMs() < this.#nextTryMs) throw late;
    this.#nextTryMs = clock.elapsedMs() + RETRY_MS;
    const abort = new AbortController();
    const deadline = Promise.withResolvers<never>();
    const cancel = clock.schedule(timeoutMs, () => {
      abort.abort(late);
      deadline.reject(late);
    });
    try {
      const vector = await Promise.race([this.#limiter.run(() => query(expression, abort.signal)), deadline.promise]);
      this.#late = false;
      onQuery?.('ok');
      return vector;
    } catch (error) {
      this.#late = abort.signal.aborted;
      onQuery?.(this.#late ? 'timeout' : 'failed');
      if (this.#late) throw late;
      const why = error instanceof Error ? error.message : String(error);
      throw new SourceUnavailableError(`Prometheus at ${host} ${why}`, { cause: error });
    } finally {
      cancel();
    }
  }
}
