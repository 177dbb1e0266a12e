import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Address } from '../runtime/http-endpoint.ts';
import type { ApiAnswer, ApiCall } from './api-handler.ts';
import type { ServingCertificate } from './certificate-secret.ts';

export interface TlsIdentity extends ServingCertificate {
  /** PEM: vouches for clients. */
  readonly clientCa: string;
}

/** The HTTPS side of the API; what it answers is decided elsewhere. */
export class ApiServer {
  readonly #server: Server;
  /** By connection, which shows its certificate once: to decode it for each call would be a tenth of a call's cost. */
  readonly #commonNames = new WeakMap<object, string | undefined>();

  constructor(answer: (call: ApiCall, signal: AbortSignal) => Promise<ApiAnswer>) {
    // Who comes without a certificate gets an answer too: that of its absence.
    const options = {
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      keepAliveTimeout: 120_000,
    } as const;
    this.#server = createServer(options, (request, response) => {
      request.resume();
      const left = new AbortController();
      response.once('close', () => left.abort(new Error('the client left')));
      const { method = 'GET', url = '/', headersDistinct } = request;
      const credentials = { commonName: this.#commonNameOf(request), headers: headersDistinct };
      void answer({ method, target: url, credentials }, left.signal).then(({ status, body }) => {
        const plain = typeof body === 'string';
        response.writeHead(status, { 'content-type': plain ? 'text/plain; charset=utf-8' : 'application/json' });
        response.end(plain ? body : JSON.stringify(body));
      });
    });
  }

  /** What new connections see; those that are open go on. */
  identify({ cert, key, clientCa }: TlsIdentity): void {
    this.#server.setSecureContext({ cert, key, ca: clientCa });
  }

  /** Resolves with the port when it listens. Connections fail until `identify`. */
  async listen({ host, port }: Address): Promise<number> {
    const listening = Promise.withResolvers<void>();
    this.#server.once('error', listening.reject);
    this.#server.listen(port, host, listening.resolve);
    await listening.promise;
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets calls under way finish; then, or after `timeoutMs`, cuts what is open. */
  async close(timeoutMs = 5000): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), timeoutMs);
    await closed;
    clearTimeout(cut);
  }

  #commonNameOf({ socket }: IncomingMessage): string | undefined {
    if (!this.#commonNames.has(socket)) this.#commonNames.set(socket, commonNameOf(socket));
    return this.#commonNames.get(socket);
  }
}

/** Of a client certificate that the client CA vouches for. */
function commonNameOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : undefined;
}
