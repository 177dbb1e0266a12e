import type { Clock } from './clock.ts';

/** Nothing was heard for too long on a connection that seems open (a half-open socket, a proxy that lost its peer). */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';

  constructor(timeoutMs: number) {
    super(`Nothing was heard for ${timeoutMs / 1000} s`);
  }
}

/**
 * Runs `listen` with a signal that aborts with a SilenceError when `heard` was not called for `timeoutMs`, or with the
 * outer signal's reason.
 */
export async function withSilenceTimeout(
  clock: Clock,
  timeoutMs: number,
  outer: AbortSignal,
  listen: (signal: AbortSignal, heard: () => void) => Promise<void>,
): Promise<void> {
  const inner = new AbortController();
  const onAbort = (): void => inner.abort(outer.reason);
  let cancel = (): void => undefined;
  const heard = (): void => {
    cancel();
    cancel = clock.schedule(timeoutMs, () => inner.abort(new SilenceError(timeoutMs)));
  };
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) onAbort();
  heard();
  try {
    await listen(inner.signal, heard);
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
  }
}
