/** One reason why the API server refused, as its Status lists it. */
export interface StatusCause {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** The field at fault, such as `spec.replicas`. */
  readonly field?: string | undefined;
}

export interface ApiErrorOptions {
  /** What was attempted, such as `apply Deployment default/mnist`. */
  readonly attempt: string;
  /** The HTTP status code. */
  readonly code: number;
  /** The Status' machine-readable reason, such as `AlreadyExists`; '' where the answer was no Status. */
  readonly reason: string;
  /** The Status' message. */
  readonly statusMessage: string;
  readonly causes?: readonly StatusCause[];
  /** How long the server asks us to wait before we try again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** The API server answered, and it refused. The message never holds the body that was sent. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly statusMessage: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterMs: number | undefined;

  constructor(options: ApiErrorOptions) {
    const what = options.reason === '' ? `${options.code}` : `${options.code} ${options.reason}`;
    super(`Could not ${options.attempt}: ${what}: ${options.statusMessage}`);
    this.code = options.code;
    this.reason = options.reason;
    this.statusMessage = options.statusMessage;
    this.causes = options.causes ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** No answer, or one that broke off: the connection failed, timed out or was cut, or credentials could not be had. */
export class TransportError extends Error {
  override readonly name = 'TransportError';

  constructor(attempt: string, cause: unknown) {
    super(`Could not ${attempt}: ${describeCause(cause)}`, { cause });
  }
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // An AggregateError (one try for each address of a name) has an empty message of its own.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(describeCause).join('; ');
  return cause.message === '' ? cause.name : cause.message;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404;
}

/** A write that lost against another one (a resourceVersion or uid that is no longer the live one). */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return (error.code === 409 && error.reason !== 'AlreadyExists') || namesAnotherUid(error);
}

/** Of an apply that names a uid: where no object has the name it is answered 409, and where another one has it, 422. */
function namesAnotherUid({ code, causes }: ApiError): boolean {
  return code === 422 && causes.some(({ field }) => field === 'metadata.uid');
}

/** The resourceVersion asked for is older than the history that the server keeps: list again. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

export function isTooManyRequests(error: unknown): boolean {
  return error instanceof ApiError && error.code === 429;
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.code === 403;
}

/** The object breaks the schema or a rule of its type; sending it again cannot succeed. */
export function isInvalid(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 422 || error.code === 400) && !namesAnotherUid(error);
}

/** The write would leave something in a namespace that is being deleted: there is nothing left to do there. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some((cause) => cause.reason === 'NamespaceTerminating');
}
