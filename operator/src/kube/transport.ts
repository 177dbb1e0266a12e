import type { Dispatcher } from 'undici';
import { Connections } from './connections.ts';
import type { ClusterAccess, TlsMaterial } from './credentials.ts';
import { TransportError } from './errors.ts';
import { guardedDispatcher } from './guarded-dispatcher.ts';
import { apiErrorOfResponse } from './status.ts';

export interface TransportOptions {
  readonly access: ClusterAccess;
  /** Sent as User-Agent; shows up in the audit log. */
  readonly userAgent: string;
  /** A request fails when the server sends nothing for so long. A watch has no such limit. Default: 30 s. */
  readonly requestTimeoutMs?: number;
  /** Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** Called once for each request; `code` is the HTTP status, or `<error>` when there was no answer (as client-go). */
  readonly onResponse?: (response: { readonly code: string; readonly method: string; readonly host: string }) => void;
  /**
   * Called just before a request that is no GET is written to its connection; what it throws is what that fails with.
   * Default: all are sent.
   */
  readonly guardWrite?: (() => void) | undefined;
}

export interface KubeRequest {
  /** For messages: what this call is for, such as `list Pods`. */
  readonly attempt: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** The answer goes on for as long as the server likes: no timeout once it has begun to answer, nor before. */
  readonly streaming?: boolean;
}

type ResponseBody = Dispatcher.ResponseData['body'];

/** Sends requests to one API server, over one shared agent. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #connections: Connections;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connections = new Connections(options.access, { connectTimeoutMs: options.connectTimeoutMs ?? 10_000 });
  }

  /** The parsed answer. Fails with ApiError, TransportError or the signal's reason. */
  async json(request: KubeRequest, signal: AbortSignal): Promise<unknown> {
    const body = await this.stream(request, signal);
    return await this.#guard(request, signal, async () => await body.json());
  }

  /** The answer's bytes as they come. Iterating it may throw: pass that through `failure`. */
  async stream(request: KubeRequest, signal: AbortSignal): Promise<ResponseBody> {
    const response = await this.#guard(request, signal, async () => await this.#send(request, signal));
    if (response.statusCode >= 200 && response.statusCode < 300) return response.body;
    const text = await this.#guard(request, signal, async () => await response.body.text());
    const retryAfter = response.headers['retry-after'];
    throw apiErrorOfResponse(
      request.attempt,
      response.statusCode,
      text,
      typeof retryAfter === 'string' ? retryAfter : undefined,
    );
  }

  /** What to throw for an error met while an answer was read. */
  failure(request: KubeRequest, signal: AbortSignal, error: unknown): unknown {
    return signal.aborted ? signal.reason : new TransportError(request.attempt, error);
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #send(request: KubeRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const server = this.#options.access.server();
    const { host } = server;
    try {
      const { headers, tls } = await this.#options.access.credentials();
      const timeoutMs = request.streaming ? 0 : (this.#options.requestTimeoutMs ?? 30_000);
      const response = await this.#dispatcherFor(tls, request).request({
        origin: server.origin,
        path: `${server.pathname.replace(/\/$/, '')}${request.path}`,
        method: request.method,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
          ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        },
        body: request.body ?? null,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal,
      });
      this.#options.onResponse?.({ code: String(response.statusCode), method: request.method, host });
      return response;
    } catch (error) {
      this.#options.onResponse?.({ code: '<error>', method: request.method, host });
      throw error;
    }
  }

  #dispatcherFor(tls: TlsMaterial, { method }: KubeRequest): Dispatcher {
    const dispatcher = this.#connections.dispatcherFor(tls);
    const { guardWrite } = this.#options;
    return guardWrite === undefined || method === 'GET' ? dispatcher : guardedDispatcher(dispatcher, guardWrite);
  }

  async #guard<T>(request: KubeRequest, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.failure(request, signal, error);
    }
  }
}
