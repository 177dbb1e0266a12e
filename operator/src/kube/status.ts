import { ApiError, type StatusCause } from './errors.ts';

/** The parts of a metav1.Status that we read. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly StatusCause[]; readonly retryAfterSeconds?: number };
}

/** How much of an answer that is no Status goes into the message (a proxy's HTML page, say). */
const maxTextLength = 200;

/** Reads the answer to a request that failed. `retryAfter` is the header of that name, in seconds. */
export function apiErrorOfResponse(
  attempt: string,
  code: number,
  body: string,
  retryAfter: string | undefined,
): ApiError {
  const headerMs = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
  const status = parseStatus(body);
  if (status === undefined) {
    const statusMessage = body.trim().slice(0, maxTextLength) || 'the answer has no body';
    return new ApiError({ attempt, code, reason: '', statusMessage, retryAfterMs: headerMs });
  }
  return apiErrorOfStatus(attempt, { ...status, code }, headerMs);
}

/** Reads the Status of an ERROR event inside a watch. */
export function apiErrorOfEvent(attempt: string, object: unknown): ApiError {
  return apiErrorOfStatus(attempt, asStatus(object) ?? {}, undefined);
}

function apiErrorOfStatus(attempt: string, status: Status, headerMs: number | undefined): ApiError {
  const seconds = status.details?.retryAfterSeconds;
  return new ApiError({
    attempt,
    code: status.code ?? 500,
    reason: status.reason ?? '',
    statusMessage: status.message ?? 'the server gave no message',
    causes: status.details?.causes ?? [],
    retryAfterMs: headerMs ?? (seconds === undefined ? undefined : seconds * 1000),
  });
}

function parseStatus(body: string): Status | undefined {
  try {
    return asStatus(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function asStatus(value: unknown): Status | undefined {
  const isStatus = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
  return isStatus ? (value as Status) : undefined;
}
