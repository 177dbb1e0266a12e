import { InferenceError } from '../failures.ts';

/** The answers to requests that are not computed. */

export function queueFull(maxQueueSize: number, waitMs: number): InferenceError {
  const retryAfterSeconds = secondsOf(waitMs);
  return new InferenceError(
    'QueueFull',
    `${maxQueueSize} requests wait for this model, and no more are taken: try again in ${retryAfterSeconds} s`,
    { retryAfterSeconds },
  );
}

export function cannotBeInTime(waiting: number, waitMs: number): InferenceError {
  const retryAfterSeconds = secondsOf(waitMs);
  return new InferenceError(
    'DeadlineExceeded',
    `The request could not be answered in time, for ${waiting} others wait: try again in ${retryAfterSeconds} s, or allow more time in the header Request-Timeout`,
    { retryAfterSeconds },
  );
}

export function tooLate(): InferenceError {
  return new InferenceError(
    'DeadlineExceeded',
    'The time for the request was over before the model could be run on it: try again, or allow more time in the header Request-Timeout',
    { retryAfterSeconds: 1 },
  );
}

export function clientLeft(signal: AbortSignal): InferenceError {
  return new InferenceError('Cancelled', 'The request was given up before its inference began', {
    cause: signal.reason,
  });
}

function secondsOf(ms: number): number {
  return Math.min(60, Math.max(1, Math.ceil(ms / 1000)));
}
