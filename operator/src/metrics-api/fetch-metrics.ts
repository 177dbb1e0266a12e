import { Agent, request } from 'undici';
import { boundedText } from './bounded-text.ts';
import { SERVED_METRICS } from './served-metrics.ts';

/** A server's own answer has a few kilobytes. */
const MAX_BYTES = 1024 * 1024;
/** Less than the 65 s after which the servers close an idle connection, more than the autoscaler's 15 s. */
const KEEP_ALIVE_MS = 40_000;

/** Reads /metrics of pods over connections that stay open. Close it to cut them. */
export class MetricsFetcher {
  readonly #agent = new Agent({
    connections: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 10_000,
    bodyTimeout: 10_000,
  });
  /** Servers that do not know the parameter answer with everything. */
  readonly #query = new URLSearchParams(SERVED_METRICS.map((name): [string, string] => ['name[]', name]));

  readonly fetchText = async (url: string, signal: AbortSignal): Promise<string> => {
    const { statusCode, body } = await request(`${url}?${this.#query}`, { dispatcher: this.#agent, signal });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`${url} answered ${statusCode}`);
    }
    return await boundedText(body, MAX_BYTES);
  };

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
