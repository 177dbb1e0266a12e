/** Told of what a batcher does; called on the hot path. */
export interface BatchObserver {
  /** So many more requests wait for the engine than before, or fewer. */
  waiting(change: number): void;
  /** The engine began with a request's first rows, so long after it came. */
  began(waitedMs: number): void;
  /** The engine computed a batch. */
  computed(rows: number, tookMs: number): void;
  /** Requests of this model are run one by one, though it was asked to join them. Called at most once. */
  notJoined(why: string): void;
}
