import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { hostAndPort, type IpAddress } from '../runtime/ready-address.ts';
import { Refusal } from './answer.ts';
import type { Exchange } from './listeners.ts';
import { pairsOf, requestHeaders, responseHeaders } from './message-headers.ts';

/** The one limit on an answer that goes on: a connection on which nothing moves for so long is dead. */
const IDLE_TIMEOUT_MS = 3_600_000;
/** A client that asked to be told when to send its body is told after so long, also when the pod keeps silent. */
const CONTINUE_TIMEOUT_MS = 1000;

/**
 * Sends a request to a pod over a connection that was made for it, and the pod's answer to the client; both bodies
 * stream as fast as the slower side takes them. Resolves when all of the answer is written, but for its end; whoever
 * leaves, the other one's connection is cut as well.
 *
 * @throws {Refusal} when the pod did not begin to answer
 * @throws when the answer broke off, or with the signal's reason when the client left
 */
export async function forward(
  exchange: Exchange,
  socket: Socket,
  address: IpAddress,
  signal: AbortSignal,
): Promise<void> {
  const { request } = exchange;
  const outgoing = begin(request, socket, address);
  const answered = Promise.withResolvers<IncomingMessage>();
  const abort = (): void => {
    outgoing.destroy();
    answered.reject(signal.reason);
  };
  outgoing.once('response', answered.resolve);
  // Stays: once the pod answers, what becomes of the request's own sending is its concern.
  outgoing.on('error', (error) => answered.reject(noAnswer(error)));
  // Without an error where the pod changes to another protocol.
  outgoing.once('close', () => answered.reject(noAnswer(new Error('the connection was closed'))));
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy(new IdleError()));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const stopSending = sendBody(exchange, outgoing);
  try {
    await relay(await answered.promise, exchange);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
    stopSending();
    request.unpipe(outgoing);
    outgoing.destroy();
  }
}

class IdleError extends Error {
  override readonly name = 'IdleError';
}

function begin(request: IncomingMessage, socket: Socket, address: IpAddress): ClientRequest {
  const { method = 'GET', url = '/', rawHeaders } = request;
  const headers = requestHeaders({
    method,
    headers: rawHeaders,
    transferEncoding: request.headers['transfer-encoding'],
    remoteAddress: request.socket.remoteAddress,
    host: hostAndPort(address),
  });
  return httpRequest({ createConnection: () => socket, method, path: originForm(url), headers, setHost: false });
}

/** A client that takes us for its proxy names the whole URL. */
function originForm(url: string): string {
  if (url.startsWith('/') || url === '*' || !URL.canParse(url)) return url;
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

/** Streams the body to the pod. @returns what stops a wait for the pod's word */
function sendBody({ request, response, expectsContinue }: Exchange, outgoing: ClientRequest): () => void {
  const send = (): void => {
    request.on('end', () => {
      if (request.rawTrailers.length > 0) outgoing.addTrailers(pairsOf(request.rawTrailers));
    });
    request.pipe(outgoing);
  };
  if (!expectsContinue) {
    send();
    return () => undefined;
  }
  outgoing.flushHeaders();
  const goOn = (): void => {
    stop();
    if (!response.headersSent) response.writeContinue();
    send();
  };
  const timer = setTimeout(goOn, CONTINUE_TIMEOUT_MS);
  const stop = (): void => {
    clearTimeout(timer);
    outgoing.off('continue', goOn);
  };
  outgoing.once('continue', goOn);
  // An answer in place of the word: the body is not wanted.
  outgoing.once('response', stop);
  return stop;
}

async function relay(answer: IncomingMessage, { request, response }: Exchange): Promise<void> {
  const chunked = answer.headers['transfer-encoding'] !== undefined && request.httpVersion === '1.1';
  const headers = responseHeaders(answer.rawHeaders, chunked);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  // So that a client sees the beginning of an answer whose body takes its time.
  response.flushHeaders();
  answer.on('end', () => {
    if (chunked && answer.rawTrailers.length > 0) response.addTrailers(pairsOf(answer.rawTrailers));
  });
  await pipeline(answer, response, { end: false });
}

function noAnswer(error: Error): Refusal {
  const refusal =
    error instanceof IdleError
      ? new Refusal(504, 'the pod that got this request did not begin to answer within an hour')
      : new Refusal(502, 'the pod that got this request ended the connection before it answered');
  refusal.cause = error;
  return refusal;
}
