/** What is used of `node:process`. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

/**
 * One Ctrl-C comes more than once where npm or a launcher passes it on besides the terminal: what comes within this
 * time, in milliseconds, is the same one.
 */
const SAME_KEYSTROKE_MS = 500;

/**
 * Calls `onFirst` for the first signal to stop and `onSecond` for the next one that is meant as another.
 *
 * @param now milliseconds of a clock that never goes back
 * @returns stops listening
 */
export function onStopSignals(
  source: SignalSource,
  now: () => number,
  onFirst: () => void,
  onSecond: () => void,
): () => void {
  let first: number | undefined;
  const listener = (): void => {
    if (first === undefined) {
      first = now();
      onFirst();
    } else if (now() - first > SAME_KEYSTROKE_MS) onSecond();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) source.on(signal, listener);
  return () => {
    for (const signal of signals) source.off(signal, listener);
  };
}
