import type { Clock } from '../../runtime/clock.ts';

/**
 * Spaces the writes of one service's status, so that a flurry of changes (pods coming) costs two: the first at once, and
 * one that tells of all the others. The very first waits, too: where hundreds of services are new, their children are
 * made before anything is told.
 */
export class StatusPace {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** When the status of a service, by its key, was written last. */
  readonly #writtenAtMs = new Map<string, number>();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /**
   * How long the next write has to wait; 0: not at all.
   *
   * @param isNew nothing was ever told of the service
   */
  waitMs(key: string, isNew: boolean): number {
    const writtenAtMs = this.#writtenAtMs.get(key);
    if (writtenAtMs === undefined) {
      if (!isNew) return 0;
      // As if it had been written now.
      this.written(key);
      return this.#intervalMs;
    }
    return Math.max(0, writtenAtMs + this.#intervalMs - this.#clock.elapsedMs());
  }

  written(key: string): void {
    this.#writtenAtMs.set(key, this.#clock.elapsedMs());
  }

  /** The service is gone. */
  forget(key: string): void {
    this.#writtenAtMs.delete(key);
  }
}
