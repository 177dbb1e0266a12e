import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { RequestError } from './request-error.ts';

/** A body up to this size that nobody wants is read to its end, so that the connection can be used again. */
const MAX_SKIPPED_BYTES = 1 << 20;
/** How long a refused client may go on sending before its connection is cut. */
const LINGER_MS = 2000;

/** Answers with JSON text. */
export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The one form of an error. */
export function errorBody(message: string): string {
  return JSON.stringify({ error: message });
}

/**
 * Answers with an error, also while the client is still sending its body. A connection that is closed under a sender is
 * reset, and the client would see the reset in place of the answer: so the answer is sent, the rest of the body is read
 * for a moment and thrown away, and then the connection closes.
 */
export function sendError(request: IncomingMessage, response: ServerResponse, error: RequestError): void {
  const text = errorBody(error.message);
  if (canReadOn(request)) {
    sendJson(response, error.status, text, error.headers);
    return;
  }
  response.writeHead(error.status, {
    ...error.headers,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.write(text);
  const timer = setTimeout(finish, LINGER_MS);
  function finish(): void {
    clearTimeout(timer);
    response.end();
  }
  request.once('end', finish).once('close', finish).resume();
}

/** Whether what is left of a request is short and its end can be told, so that another may follow on the connection. */
function canReadOn(request: IncomingMessage): boolean {
  if (request.complete) return true;
  // A client that waits for "100 Continue" and is refused may send its body or not.
  if (request.headers.expect !== undefined || request.headers['transfer-encoding'] !== undefined) return false;
  return Number(request.headers['content-length'] ?? 0) <= MAX_SKIPPED_BYTES;
}
