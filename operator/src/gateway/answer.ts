import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './listeners.ts';

/** An answer of our own in place of a pod's; the message is for the client. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: 502 | 503 | 504;
  /** Undefined: trying again does not help. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: 502 | 503 | 504, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * How long a client may go on sending a body that nobody reads: closing at once would reset the connection, and the
 * answer with it (RFC 9112, 9.6).
 */
const LINGER_MS = 2000;

/** Answers with `{"error": …}`, as the servers do; resolves when the client has the answer or has left. */
export async function refuse({ request, response }: Exchange, refusal: Refusal): Promise<void> {
  if (response.destroyed) return;
  const body = JSON.stringify({ error: refusal.message });
  const { status, retryAfterSeconds } = refusal;
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  response.writeHead(status, headers);
  response.write(body);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(lingering);
      response.end(resolve);
    };
    const lingering = setTimeout(done, LINGER_MS);
    response.once('close', () => {
      clearTimeout(lingering);
      resolve();
    });
    request.once('error', () => undefined);
    if (request.complete) {
      done();
      return;
    }
    request.once('end', done);
    request.resume();
  });
}
