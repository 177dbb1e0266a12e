/** How much the latest gap counts in the mean: it follows a change of the rate within about ten requests. */
const NEWEST_SHARE = 0.125;

/** What comes in one go is read within microseconds; nothing shorter can be told apart, in milliseconds. */
const LEAST_GAP_MS = 0.001;

/** How often requests come, and whether they come together. */
export class Arrivals {
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Geometric mean: the pause between two crowds does not hide how dense they are. */
  #meanLogGap = Number.POSITIVE_INFINITY;
  #togetherMs = Number.NEGATIVE_INFINITY;

  /** @param present how many requests there are now, this one included, that have no answer yet */
  arrived(atMs: number, present: number): void {
    const logGap = Math.log(Math.max(LEAST_GAP_MS, atMs - this.#lastMs));
    this.#meanLogGap = Number.isFinite(this.#meanLogGap)
      ? this.#meanLogGap + NEWEST_SHARE * (logGap - this.#meanLogGap)
      : logGap;
    this.#lastMs = atMs;
    if (present > 1) this.#togetherMs = atMs;
  }

  /** So many requests were answered at once: their senders may come back. */
  answered(atMs: number, requests: number): void {
    if (requests > 1) this.#togetherMs = atMs;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  /** The usual time from one arrival to the next; a pause that is longer counts while it lasts. */
  gapMs(nowMs: number): number {
    return Math.max(Math.exp(this.#meanLogGap), nowMs - this.#lastMs);
  }

  /** Whether more than one request was there at a time within the last `withinMs`. */
  together(nowMs: number, withinMs: number): boolean {
    return nowMs - this.#togetherMs <= withinMs;
  }
}
