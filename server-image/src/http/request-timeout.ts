import type { IncomingHttpHeaders } from 'node:http';
import { RequestError } from './request-error.ts';

const MAX_SECONDS = 86_400;

/**
 * The time that a client gives its request: the header `Request-Timeout`, in seconds, from the request's head on.
 *
 * @returns milliseconds; undefined where the client says nothing
 * @throws RequestError 400
 */
export function requestTimeoutMs(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['request-timeout'];
  if (text === undefined) return undefined;
  const seconds = /^[0-9]{1,5}(\.[0-9]{1,6})?$/.test(String(text)) ? Number(text) : 0;
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds * 1000;
  throw new RequestError(
    400,
    `The header Request-Timeout is ${JSON.stringify(text)}: write seconds, more than 0 and at most ${MAX_SECONDS}, for example 0.5`,
  );
}
