import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Route } from './gateway-slice.ts';

/** A request as it came in; nothing of its body was read. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client sends its body only after it was told to (RFC 9110, 10.1.1). */
  readonly expectsContinue: boolean;
}

export interface ListenersOptions {
  /** Undefined: all addresses of the machine. */
  readonly host: string | undefined;
  /** Called with each request and the `namespace/name` of the service for which it was received. */
  readonly onRequest: (service: string, exchange: Exchange) => void;
  readonly log: Logger;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** How long a client may take for the headers of its request. Default: 60 s. */
  readonly headersTimeoutMs?: number | undefined;
}

interface Listener {
  readonly port: number;
  readonly server: Server;
  readonly backoff: Backoff;
  listening: boolean;
  cancelRetry: () => void;
}

const RETRY = { baseMs: 100, capMs: 5000, jitter: 0.5, resetAfterMs: 60_000 };

/** One server for each service, on the port that is the service's alone: whom a request is for needs no Host header. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #wanted = new Map<string, Route>();
  readonly #listeners = new Map<string, Listener>();
  /** Also those that take no further connections, until their last one ends. */
  readonly #servers = new Set<Server>();
  #open = false;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /**
   * From now on what is wanted is listened for. Of two routes on one port the elder has it, in every gateway and after
   * every restart: no request finds its way to the pods of another service.
   */
  start(): void {
    this.#open = true;
    const routes = [...this.#wanted.values()].sort((a, b) => (a.since < b.since ? -1 : 1));
    for (const { service } of routes) this.#bring(service);
  }

  /** Listen for a service, in place of any other port of it. */
  want(route: Route): void {
    this.#wanted.set(route.service, route);
    this.#bring(route.service);
  }

  /** Listen for a service no longer. */
  drop(service: string): void {
    this.#wanted.delete(service);
    this.#bring(service);
  }

  /** Where requests for the service are taken at this moment; undefined: nowhere. */
  portOf(service: string): number | undefined {
    const listener = this.#listeners.get(service);
    return listener?.listening === true ? listener.port : undefined;
  }

  /** Takes no further connections; requests that came in go on. */
  stop(): void {
    this.#open = false;
    for (const service of this.#listeners.keys()) this.#bring(service);
  }

  /** Ends the connections that are left. */
  cut(): void {
    for (const server of this.#servers) server.closeAllConnections();
  }

  #bring(service: string): void {
    const port = this.#open ? this.#wanted.get(service)?.port : undefined;
    const listener = this.#listeners.get(service);
    if (listener?.port === port) return;
    if (listener !== undefined) this.#close(service, listener);
    if (port !== undefined) this.#listen(service, port);
  }

  #listen(service: string, port: number): void {
    const { host, onRequest, log, clock, random, headersTimeoutMs = 60_000 } = this.#options;
    const server = createServer({
      // A held request's body is read when a pod takes it, however long that is: no limit for a whole request.
      requestTimeout: 0,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: headersTimeoutMs / 2,
      noDelay: true,
      keepAliveTimeout: 1000,
    });
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    // A client that sends a second request behind the first is told so: its connection ends with the first answer.
    server.maxRequestsPerSocket = 1;
    server.on('request', (request, response) => onRequest(service, { request, response, expectsContinue: false }));
    server.on('checkContinue', (request, response) => onRequest(service, { request, response, expectsContinue: true }));
    const listener: Listener = {
      port,
      server,
      backoff: new Backoff(RETRY, clock, random),
      listening: false,
      cancelRetry: () => undefined,
    };
    this.#listeners.set(service, listener);
    server.on('listening', () => {
      listener.listening = true;
      log.info({ service, port }, 'Listening for a service');
    });
    server.on('error', (error) => {
      listener.listening = false;
      if (this.#listeners.get(service) !== listener) return;
      const retryMs = listener.backoff.nextDelayMs();
      log.error({ err: error, service, port, retryMs }, 'Could not listen for a service, trying again');
      listener.cancelRetry = clock.schedule(retryMs, () => server.listen(port, host));
    });
    server.listen(port, host);
  }

  #close(service: string, { server, port, listening, cancelRetry }: Listener): void {
    this.#listeners.delete(service);
    cancelRetry();
    server.close();
    if (listening) this.#options.log.info({ service, port }, 'Stopped listening for a service');
  }
}
