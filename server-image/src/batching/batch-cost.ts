/** How much each batch counts less with each that follows: of about the last 50 there is something left. */
const DECAY = 0.98;
/** After this, what was measured says nothing of the engine's state any more, in milliseconds. */
const FRESH_MS = 10_000;

/** How long a batch takes, fitted to those that ran: `fixed + perRow × rows`, in milliseconds. */
export interface Cost {
  readonly fixedMs: number;
  readonly perRowMs: number;
}

const UNKNOWN: Cost = { fixedMs: 0, perRowMs: 0 };

/** Learns what a batch costs, by least squares over the latest batches (as BentoML's dispatcher does). */
export class BatchCost {
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsSquared = 0;
  #rowsTimesMs = 0;
  #cost = UNKNOWN;
  #measuredAtMs = Number.NEGATIVE_INFINITY;

  /** A batch of so many rows took so long. */
  measured(rows: number, tookMs: number, atMs: number): void {
    this.#weight = this.#weight * DECAY + 1;
    this.#rows = this.#rows * DECAY + rows;
    this.#ms = this.#ms * DECAY + tookMs;
    this.#rowsSquared = this.#rowsSquared * DECAY + rows * rows;
    this.#rowsTimesMs = this.#rowsTimesMs * DECAY + rows * tookMs;
    this.#measuredAtMs = atMs;
    this.#cost = this.#fit();
  }

  /** Zeros where nothing is known, or nothing that still holds. */
  at(nowMs: number): Cost {
    return nowMs - this.#measuredAtMs > FRESH_MS ? UNKNOWN : this.#cost;
  }

  #fit(): Cost {
    const meanRows = this.#rows / this.#weight;
    const meanMs = this.#ms / this.#weight;
    const variance = this.#rowsSquared / this.#weight - meanRows * meanRows;
    // Batches of one size do not tell its parts apart: the line keeps its slope and moves to where they are.
    const slope =
      variance > meanRows * 1e-3
        ? (this.#rowsTimesMs / this.#weight - meanRows * meanMs) / variance
        : this.#cost.perRowMs;
    const perRowMs = Math.min(Math.max(0, slope), meanMs / meanRows);
    return { perRowMs, fixedMs: meanMs - perRowMs * meanRows };
  }
}
