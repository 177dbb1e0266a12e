import type { BatchObserver } from '../batch-observer.ts';

/** For tests: tells nobody. */
export const silentObserver: BatchObserver = {
  waiting: () => undefined,
  began: () => undefined,
  computed: () => undefined,
  notJoined: () => undefined,
};
