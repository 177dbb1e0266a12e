/** How far back the values for scaling look. The autoscaler asks every 15 s, so each answer is news as a whole. */
export const WINDOW_MS = 15_000;
const BUCKET_MS = 250;
const WHOLE_BUCKETS = WINDOW_MS / BUCKET_MS;
/** The one being filled, those that are whole, and the one that leaves the window: of that one a share counts. */
const BUCKETS = WHOLE_BUCKETS + 1;

/**
 * What was added within the last 15 seconds, in constant memory and amortised constant time. Exact but for the oldest
 * quarter of a second, within which amounts count as spread evenly.
 */
export class SlidingSum {
  readonly #buckets = new Float64Array(BUCKETS);
  /** The number of the bucket that is being filled, counted from the clock's zero. */
  #newest = 0;

  /** @param atMs a moment of a clock that never goes back, and never before that of an earlier call */
  add(amount: number, atMs: number): void {
    this.#advance(atMs);
    const slot = this.#newest % BUCKETS;
    this.#buckets[slot] = (this.#buckets[slot] ?? 0) + amount;
  }

  /** Adds `perMs` for each millisecond from `fromMs` to `toMs`. */
  addOverTime(perMs: number, fromMs: number, toMs: number): void {
    // Whatever lies further back has left the window.
    let cursor = Math.max(fromMs, (bucketOf(toMs) - WHOLE_BUCKETS) * BUCKET_MS);
    while (cursor < toMs) {
      const end = Math.min(toMs, (bucketOf(cursor) + 1) * BUCKET_MS);
      this.add(perMs * (end - cursor), cursor);
      cursor = end;
    }
    this.#advance(toMs);
  }

  sum(atMs: number): number {
    this.#advance(atMs);
    const share = 1 - (atMs - this.#newest * BUCKET_MS) / BUCKET_MS;
    let sum = (this.#buckets[(this.#newest + 1) % BUCKETS] ?? 0) * share;
    for (let age = 0; age < WHOLE_BUCKETS; age++) {
      sum += this.#buckets[(this.#newest - age + BUCKETS) % BUCKETS] ?? 0;
    }
    return sum;
  }

  #advance(atMs: number): void {
    const bucket = bucketOf(atMs);
    if (bucket - this.#newest >= BUCKETS) this.#buckets.fill(0);
    else for (let next = this.#newest + 1; next <= bucket; next++) this.#buckets[next % BUCKETS] = 0;
    this.#newest = Math.max(this.#newest, bucket);
  }
}

/** The mean of a level, such as the number of requests in flight, over the last 15 seconds, weighted by time. */
export class SlidingMean {
  readonly #area = new SlidingSum();
  #level = 0;
  #sinceMs: number;

  /** @param atMs where its time begins; before it the level counts as 0 */
  constructor(atMs: number) {
    this.#sinceMs = atMs;
  }

  /** The level is this from now on. */
  set(level: number, atMs: number): void {
    this.#account(atMs);
    this.#level = level;
  }

  mean(atMs: number): number {
    this.#account(atMs);
    return this.#area.sum(atMs) / WINDOW_MS;
  }

  #account(atMs: number): void {
    this.#area.addOverTime(this.#level, this.#sinceMs, atMs);
    this.#sinceMs = atMs;
  }
}

/** How often something happened a second, over the last 15 seconds. */
export class SlidingRate {
  readonly #events = new SlidingSum();

  count(atMs: number): void {
    this.#events.add(1, atMs);
  }

  perSecond(atMs: number): number {
    return this.#events.sum(atMs) / (WINDOW_MS / 1000);
  }
}

function bucketOf(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS);
}
