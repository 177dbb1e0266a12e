import { once } from 'node:events';
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

/** How long a client may go on sending a body that nobody reads. */
const LINGER_MS = 2000;

/** Answers with `{"error": …}`, as the servers do; resolves when the client has the answer or has left. */
export async function refuse(exchange: Exchange, { message, status, retryAfterSeconds }: Refusal): Promise<void> {
  const { response } = exchange;
  if (response.destroyed) return;
  const body = JSON.stringify({ error: message });
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  response.writeHead(status, headers);
  response.write(body);
  await endAnswer(exchange);
}

/**
 * Ends an answer that is written, and with it the connection; resolves when the client has it or has left. What is left
 * of the request is taken before: closing at once would reset the connection, and the answer with it (RFC 9112, 9.6).
 */
export async function endAnswer({ request, response, expectsContinue }: Exchange): Promise<void> {
  if (response.destroyed) return;
  const closed = once(response, 'close');
  const end = (): void => void response.end();
  // Who still waits for the word to send a body sends none.
  if (request.complete || (expectsContinue && !request.readableDidRead)) end();
  else request.once('end', end).resume();
  const lingering = setTimeout(end, LINGER_MS);
  await closed;
  clearTimeout(lingering);
}
