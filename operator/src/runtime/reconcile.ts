import type { Logger } from 'pino';

export interface ReconcileContext {
  /** Aborted when the operator stops or loses its lease. Every call and wait takes it. */
  readonly signal: AbortSignal;
  /** A child logger with controller, namespace, name and reconcileID. */
  readonly log: Logger;
}

export interface ReconcileResult {
  /** Look again after so many milliseconds, without counting it as a failure. */
  readonly requeueAfterMs?: number | undefined;
}

/**
 * Brings the world nearer to what the object named `namespace/name` asks for. Level-triggered: it gets no event, only
 * the key. Throwing retries with backoff, except for a `TerminalError` (no retry) and a conflict (silent retry).
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult>;
