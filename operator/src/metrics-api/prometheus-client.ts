import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { boundedText } from './bounded-text.ts';
import { type Vector, vectorSchema } from './prometheus-query.ts';

export interface PrometheusClientOptions {
  /** Where its API is, up to `/api/v1`; http or https, without credentials. */
  readonly url: string;
  /**
   * A folder with what is needed to be let in, each file optional: `token`, or `username` and `password`; and `ca.crt`,
   * PEM, where no public authority vouches for it. Read when it is needed, but for `ca.crt`, which is read at the start.
   */
  readonly credentialsDir: string | undefined;
  /** Connections that stay open. */
  readonly connections: number;
}

/** Thousands of pods have a few hundred bytes each. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_CHARACTERS = 200;
/** More than the autoscaler's 15 s. */
const KEEP_ALIVE_MS = 60_000;

const answerSchema = z.union([
  z.object({ status: z.literal('success'), data: vectorSchema }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

/** Asks a Prometheus server over connections that stay open. Close it to cut them. */
export class PrometheusClient {
  readonly #endpoint: string;
  readonly #credentialsDir: string | undefined;
  readonly #agent: Agent;

  private constructor({ url, credentialsDir, connections }: PrometheusClientOptions, ca: string | undefined) {
    this.#endpoint = `${url.replace(/\/+$/, '')}/api/v1/query`;
    this.#credentialsDir = credentialsDir;
    this.#agent = new Agent({
      connections,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
      ...(ca === undefined ? {} : { connect: { ca } }),
    });
  }

  static async create(options: PrometheusClientOptions): Promise<PrometheusClient> {
    return new PrometheusClient(options, await readOptional(options.credentialsDir, 'ca.crt'));
  }

  /** An instant query. Rejects with what went wrong, as the rest of a sentence that begins with the server. */
  readonly query = async (expression: string, signal: AbortSignal): Promise<Vector> => {
    const authorization = await this.#authorization();
    const { statusCode, body } = await this.#post(expression, authorization, signal);
    const text = await boundedText(body, MAX_BYTES);
    const parsed = answerSchema.safeParse(parseJson(text));
    if (parsed.data?.status === 'error') {
      throw new Error(`answered ${statusCode}: ${parsed.data.error.slice(0, MAX_ERROR_CHARACTERS)}`);
    }
    if (statusCode === 401 || statusCode === 403) {
      throw new Error(`answered ${statusCode}: give metrics.prometheusSecret credentials that may query it`);
    }
    if (statusCode !== 200 || parsed.data === undefined) {
      throw new Error(`answered ${statusCode} without a vector: is metrics.prometheusUrl the address of its HTTP API?`);
    }
    return parsed.data.data.result;
  };

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #post(expression: string, authorization: string | undefined, signal: AbortSignal) {
    try {
      return await request(this.#endpoint, {
        method: 'POST',
        dispatcher: this.#agent,
        signal,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: new URLSearchParams({ query: expression }).toString(),
      });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      throw new Error(`could not be asked${code}`, { cause: error });
    }
  }

  async #authorization(): Promise<string | undefined> {
    const folder = this.#credentialsDir;
    const token = await readOptional(folder, 'token');
    if (token !== undefined) return `Bearer ${token.trim()}`;
    const [username, password] = [await readOptional(folder, 'username'), await readOptional(folder, 'password')];
    if (username === undefined || password === undefined) return undefined;
    return `Basic ${Buffer.from(`${username.trim()}:${password.trim()}`).toString('base64')}`;
  }
}

async function readOptional(folder: string | undefined, name: string): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
