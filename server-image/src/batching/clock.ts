/** Time as the batcher sees it. */
export interface Clock {
  /** A clock that never goes back, in milliseconds; that of `performance.now()`. */
  nowMs(): number;
  /** Calls back after about so long; what is due within a millisecond, when the events at hand are worked off. */
  after(ms: number, callback: () => void): CancelTimer;
}

export type CancelTimer = () => void;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, callback) => {
    // Node's timers know whole milliseconds only, and a small model answers in less.
    if (ms < 1) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, Math.floor(ms)).unref();
    return () => clearTimeout(timer);
  },
};
