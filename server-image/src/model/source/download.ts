import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent, errors, interceptors } from 'undici';
import { errorMessage, ModelFailure } from '../../failures.ts';
import type { Validators } from './model-store.ts';

/** How a download reaches the network and waits; tests replace it. */
export interface DownloadContext {
  readonly dispatcher: Dispatcher;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface DownloadRequest {
  readonly url: URL;
  /** File to write to; its folder is made. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the host said of the file that is here already: it may answer that nothing changed. */
  readonly validators?: Validators | undefined;
  readonly maxBytes: number;
  /** Statuses by which this host says that it has no such file. Default: 404 and 410. */
  readonly missing?: ReadonlySet<number>;
  readonly signal: AbortSignal;
  /** Told when an attempt's body begins, with its length where the host gives one. */
  onStart?(totalBytes: number | undefined): void;
  /** Told of each piece of the body. */
  onChunk?(chunk: Uint8Array): void;
}

export type DownloadResult =
  | {
      readonly status: 'fetched';
      readonly bytes: number;
      readonly contentType: string;
      readonly validators: Validators;
    }
  | { readonly status: 'unchanged' }
  | { readonly status: 'missing' };

/** Attempts in all, and the wait before the second one, doubled before each further one: 0.5, 1 and 2 s. */
const ATTEMPTS = 4;
const FIRST_DELAY_MS = 500;

/** What hosts answer for a file that they do not have. */
export const MISSING: ReadonlySet<number> = new Set([404, 410]);

/** How each content encoding is undone. Hosts keep files in one and send them so, whatever was asked for. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** Answers that may be others in a moment: https://www.rfc-editor.org/rfc/rfc9110#name-status-codes. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Connections for downloads: through the proxy of HTTP_PROXY, HTTPS_PROXY and NO_PROXY where they are set, over at most
 * 5 redirects, 10 s to connect and 30 s of silence.
 */
export function downloadDispatcher(): Dispatcher {
  const agent = new EnvHttpProxyAgent({ connect: { timeout: 10_000 }, headersTimeout: 30_000, bodyTimeout: 30_000 });
  return agent.compose(interceptors.redirect({ maxRedirections: 5 }));
}

/**
 * Downloads one file, again from the start when the connection or the host fails for the moment.
 *
 * @throws ModelFailure `FetchFailed` for all answers but success, "not changed" and "not there"
 */
export async function download(context: DownloadContext, request: DownloadRequest): Promise<DownloadResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await downloadOnce(context, request);
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ModelFailure) throw error;
      if (error instanceof errors.InvalidArgumentError) throw lostRedirect(request.url, error);
      if (attempt === ATTEMPTS) {
        throw new ModelFailure(
          'FetchFailed',
          `Could not fetch ${shown(request.url)} in ${ATTEMPTS} attempts: ${errorMessage(error)}`,
          { cause: error },
        );
      }
      await context.sleep(FIRST_DELAY_MS * 2 ** (attempt - 1), request.signal);
    }
  }
}

async function downloadOnce({ dispatcher }: DownloadContext, request: DownloadRequest): Promise<DownloadResult> {
  const { url, target, signal, validators, maxBytes, missing = MISSING } = request;
  const { statusCode, headers, body } = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: {
      'user-agent': 'modelservice',
      'accept-encoding': 'identity',
      ...request.headers,
      ...conditions(validators),
    },
    signal,
  });
  if (statusCode !== 200) {
    await body.dump();
    if (statusCode === 304 && validators !== undefined) return { status: 'unchanged' };
    if (missing.has(statusCode)) return { status: 'missing' };
    if (TRANSIENT.has(statusCode)) throw new Error(`the host answered ${statusCode}`);
    throw new ModelFailure('FetchFailed', `Could not fetch ${shown(url)}: the host answered ${statusCode}`);
  }
  const decoder = await decoderOf(one(headers['content-encoding']), url, body);
  const length = Number(one(headers['content-length']) ?? Number.NaN);
  request.onStart?.(Number.isNaN(length) || decoder !== undefined ? undefined : length);
  let bytes = 0;
  await mkdir(dirname(target), { recursive: true });
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new ModelFailure(
          'FetchFailed',
          `${shown(url)} is larger than ${maxBytes} bytes, the most that is fetched`,
        );
      }
      request.onChunk?.(chunk);
      yield chunk;
    }
  };
  const file = createWriteStream(target);
  await (decoder === undefined
    ? pipeline(body, counted, file, { signal })
    : pipeline(body, decoder, counted, file, { signal }));
  return {
    status: 'fetched',
    bytes,
    contentType: one(headers['content-type']) ?? '',
    validators: present({ etag: one(headers.etag), lastModified: one(headers['last-modified']) }),
  };
}

async function decoderOf(
  encoding: string | undefined,
  url: URL,
  body: Dispatcher.ResponseData['body'],
): Promise<Transform | undefined> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return undefined;
  if (Object.hasOwn(DECODERS, name)) return DECODERS[name]?.();
  await body.dump();
  throw new ModelFailure(
    'FetchFailed',
    `${shown(url)} has the content encoding ${JSON.stringify(encoding)}, which this server does not read: have the host send it as it is`,
  );
}

/** undici follows redirects, and says as of its caller's mistakes that it cannot follow one. */
function lostRedirect(url: URL, error: Error): ModelFailure {
  const [what] = error.message.split('. ');
  return new ModelFailure('FetchFailed', `Could not fetch ${shown(url)}: its redirects lead nowhere: ${what}`, {
    cause: error,
  });
}

function conditions(validators: Validators | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (validators?.etag !== undefined) headers['if-none-match'] = validators.etag;
  else if (validators?.lastModified !== undefined) headers['if-modified-since'] = validators.lastModified;
  return headers;
}

function present({ etag, lastModified }: { etag: string | undefined; lastModified: string | undefined }): Validators {
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** A URL for people: a query may hold a signature, and a log is no place for it. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
