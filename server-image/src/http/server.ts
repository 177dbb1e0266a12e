/**
 * The HTTP/1.1 side of the server. Infer and predict are taken straight from Node's `request` event, because what
 * Express costs a request is a good part of what a small model costs; Express serves the rest. Every error has the form
 * {"error": "…"}.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay, setImmediate as nextLoop } from 'node:timers/promises';
import type { ModelRepository } from '../model/served-model.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { createApp } from './app.ts';
import { readableLimits } from './body.ts';
import { trackConnections } from './connections.ts';
import { handleInfer } from './infer-handler.ts';
import { type InferRoute, matchInferRoute } from './infer-route.ts';
import type { Lifecycle } from './lifecycle.ts';
import { errorBody, sendError } from './reply.ts';
import { asRequestError } from './request-error.ts';

export interface HttpServerOptions {
  readonly repository: ModelRepository;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** Of this program, for `GET /v2`. */
  readonly version: string;
  /** Largest body in bytes. */
  readonly maxRequestBytes: number;
  /** How long a client may take to send a request's head, in milliseconds. Default: 20000. */
  readonly headersTimeoutMs?: number;
  /** How long the next part of a body may take, in milliseconds. Default: 30000. */
  readonly bodyIdleTimeoutMs?: number;
  /**
   * How long a request may take from its head to its answer, where its header Request-Timeout says nothing, in
   * milliseconds; what cannot be done in that time is refused, and what has begun is finished. Default: 30000, as
   * TensorFlow Serving's REST.
   */
  readonly requestTimeoutMs?: number;
  /** How long a connection may rest between two requests, in milliseconds. Default: 65000, above common proxies' 60 s. */
  readonly keepAliveTimeoutMs?: number;
}

export interface DrainOptions {
  /** After this time whatever is left is cut, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * How long a connection must rest before it is closed, in milliseconds; a request that comes on it earlier is answered,
   * and that answer closes it. Default: 5000, the time that Go's `Shutdown` gives a connection without a request.
   */
  readonly idleGraceMs?: number;
}

export interface HttpServer {
  readonly server: Server;
  /** Refuses new connections, answers what is under way, and resolves when every connection is closed. */
  drain(options: DrainOptions): Promise<void>;
}

/** The whole of a request must have come after this time, however steadily it drips, in milliseconds; Node's default. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often Node looks for clients that are too slow, in milliseconds. */
const SLOW_CLIENTS_CHECK_MS = 1000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const lifecycle: Lifecycle = { draining: false };
  const app = createApp({ ...options, lifecycle });
  const dependencies = {
    ...options,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    limits: readableLimits({ maxBytes: options.maxRequestBytes, idleTimeoutMs: options.bodyIdleTimeoutMs ?? 30_000 }),
  };
  const server = createServer({
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    headersTimeout: options.headersTimeoutMs ?? 20_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: SLOW_CLIENTS_CHECK_MS,
  });
  const connections = trackConnections(server);
  server.on('request', (request, response) => serve(request, response, false));
  server.on('checkContinue', (request, response) => serve(request, response, true));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuseUnreadable(error, socket, connections.isBusy(socket));
  });

  function serve(request: IncomingMessage, response: ServerResponse, waits: boolean): void {
    if (!request.socket.writable) {
      // It came when we had closed our side: unanswered, it must not be carried out either.
      request.socket.destroy();
      return;
    }
    connections.track(request.socket, response);
    if (lifecycle.draining) response.shouldKeepAlive = false;
    let route: InferRoute | undefined;
    try {
      route = matchInferRoute(request.url ?? '/');
    } catch (error) {
      sendError(request, response, asRequestError(error));
      return;
    }
    if (route === undefined) {
      app(request, response);
      return;
    }
    // It answers its own errors and never rejects.
    void handleInfer(dependencies, route, request, response, waits);
  }

  return {
    server,
    drain: async ({ timeoutMs, idleGraceMs = 5000 }) => {
      // Connections that the kernel has taken for us would be reset with the listening socket: after the second of these
      // the event loop has accepted them, wherever in its round it was. No client is told to open another meanwhile.
      await nextLoop();
      await nextLoop();
      lifecycle.draining = true;
      connections.closeAfterAnswers();
      const closed = Promise.withResolvers<void>();
      // http's own close() cuts idle connections at once, and with them a request that is already on the wire.
      NetServer.prototype.close.call(server, () => closed.resolve());
      const stopClosing = connections.closeWhenIdle(idleGraceMs);
      await settled(closed.promise, timeoutMs);
      stopClosing();
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

/** Resolves with the promise, or after the time if that is sooner. */
async function settled(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([promise, delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}

/** Answers bytes that are no HTTP/1.1 request, or that came too slowly. Requests under way on the connection are lost. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, busy: boolean): void {
  if (busy || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] = unreadable(error.code);
  const text = errorBody(message);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

function unreadable(code: string | undefined): readonly [status: string, message: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'The request came too slowly'];
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'The headers are larger than 16 KiB'];
    default:
      return ['400 Bad Request', `The request is no HTTP/1.1: ${code ?? 'unreadable'}`];
  }
}
