/** Time as the operator sees it: injected, so that tests do not wait. */
export interface Clock {
  /** Milliseconds since the epoch, for timestamps. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since some fixed moment, for durations. Never jumps. */
  elapsedMs(): number;
  /** Calls back once after `delayMs`; the function returned cancels that. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The longest delay that a Node timer takes (2^31 - 1 ms, about 24 days); a longer one would fire at once. */
const maxTimerMs = 0x7fffffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  schedule: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, maxTimerMs));
    return () => clearTimeout(timer);
  },
};

/** Waits; rejects with the signal's reason as soon as that aborts. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const cancel = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    function onAbort(): void {
      cancel();
      reject(signal.reason);
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
