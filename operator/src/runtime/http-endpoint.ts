import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Address {
  /** Default: all addresses of the machine. */
  readonly host?: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Who asks. */
export interface Caller {
  /** From this machine, or this pod, itself. */
  readonly isLocal: boolean;
}

/** What to answer to a GET of a path; `undefined`: 404. */
export type Handler = (path: string, caller: Caller) => Promise<Answer | undefined>;

/** A small HTTP server for probes and metrics: GET only. */
export interface HttpEndpoint {
  /** Where it listens. */
  readonly port: number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

/** Resolves when it listens; fails when the address cannot be had. */
export async function serveHttp(address: Address, handler: Handler): Promise<HttpEndpoint> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://local');
    const caller = { isLocal: isLoopback(request.socket.remoteAddress ?? '') };
    void respond(request.method ?? '', pathname, caller, handler).then((answer) => {
      response.writeHead(answer.status, { 'content-type': answer.contentType });
      response.end(request.method === 'HEAD' ? undefined : answer.body);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(address.port, address.host, listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether only this machine, or this pod, has the IP address. */
export function isLoopback(ip: string): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(ip);
}

async function respond(method: string, path: string, caller: Caller, handler: Handler): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET is served here\n');
  try {
    return (await handler(path, caller)) ?? text(404, `nothing is served at ${path}\n`);
  } catch (error) {
    return text(500, `could not answer: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

export function text(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
