/**
 * Why a model cannot be served: the one table of typed reasons. A reason goes into the termination message of a pod,
 * from where the operator lifts it into the ModelService's conditions, and into the table that `modelservice run`
 * prints. The texts say what the reason stands for; the message of a failure says what is wrong in this case.
 */
export const FAILURE_REASONS = {
  InvalidConfig: 'The configuration of the server is not valid.',
  ModelNotFound: 'Nothing lies under the URI of the model, or a file that the model names is missing.',
  FetchFailed: 'The model could not be fetched: the network, the host, its answer or the limits stood in the way.',
  DigestMismatch: 'The content of the model is not the one that the digest pins.',
  InvalidModel: 'What lies under the URI is no model that this server can read, or is damaged.',
  UnsupportedOperation: 'The model needs an operation or layer that the engine does not have.',
  EngineUnavailable: 'The engine that was asked for is not in this image or does not start.',
  GPUNotUsable: 'A GPU was asked for and the engine cannot use one.',
  WarmupFailed: 'The model was loaded, and its first inference failed.',
  OutOfMemory: 'The model does not fit into the memory of this process.',
  EngineCrashed: 'The engine hung or kept ending while it served.',
  PortInUse: 'Another program listens on the port.',
  InternalError: 'The server failed in a way that nobody foresaw; its log has the details.',
} as const;

export type FailureReason = keyof typeof FAILURE_REASONS;

/** A model that cannot be served, or a server that cannot start. The message says what to do about it. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Why one inference failed:
 * - `InvalidInput`: the model does not take these values; the caller's fault
 * - `Cancelled`: the caller's signal was aborted before the inference began
 * - `EngineRestarted`: the engine thread ended beneath the request and comes back; worth repeating
 * - `ModelRemoved`: the model was unloaded before the inference began; worth repeating where it was replaced
 * - `QueueFull`: as many requests wait for the model as may
 * - `DeadlineExceeded`: the request's time was over before the inference began, or would be before it ended
 * - `EngineBroken`: this request, or one joined with it, ended the engine thread, which comes back
 * - `Failed`: the engine reported an error
 */
export type InferenceErrorCode =
  | 'InvalidInput'
  | 'Cancelled'
  | 'EngineRestarted'
  | 'EngineBroken'
  | 'ModelRemoved'
  | 'QueueFull'
  | 'DeadlineExceeded'
  | 'Failed';

/** One inference that failed; the model itself is still served. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly code: InferenceErrorCode;
  /** When it is worth asking again, where that can be told. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: InferenceErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Any thrown value as a ModelFailure: itself where it is one, else one of the given reason that quotes it. */
export function asModelFailure(error: unknown, reason: FailureReason, attempted: string): ModelFailure {
  if (error instanceof ModelFailure) return error;
  return new ModelFailure(reason, `${attempted}: ${errorMessage(error)}`, { cause: error });
}

/** The message of any thrown value. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || error.name;
}
