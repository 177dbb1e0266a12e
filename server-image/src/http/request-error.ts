import type { OutgoingHttpHeaders } from 'node:http';
import { InferenceError, type InferenceErrorCode } from '../failures.ts';
import { InvalidRequest } from '../protocol/invalid-request.ts';

/** A request that is answered with an error of HTTP's own: its status, and what the client should know. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** The client left before it had its answer; nobody is there to read another. Counted as 499, as nginx does. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const INFERENCE_STATUS: Readonly<Record<InferenceErrorCode, number>> = {
  InvalidInput: 400,
  Cancelled: 503,
  EngineRestarted: 503,
  EngineBroken: 500,
  ModelRemoved: 503,
  QueueFull: 429,
  DeadlineExceeded: 504,
  Failed: 500,
};

/** Any thrown value as the answer that it deserves; what nobody foresaw is a 500 that keeps its details to the log. */
export function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof InvalidRequest) return new RequestError(400, error.message);
  if (error instanceof InferenceError) {
    const status = INFERENCE_STATUS[error.code];
    const retryAfter = error.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
    return new RequestError(
      status,
      error.message,
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
    );
  }
  return new RequestError(500, 'The server failed on this request; its log says why');
}
