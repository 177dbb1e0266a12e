import type { Cost } from './batch-cost.ts';

/** What is known when the engine could take a batch. */
export interface Situation {
  readonly nowMs: number;
  /** Requests that would go, at least 1, and their rows. */
  readonly requests: number;
  readonly rows: number;
  /** When the first of them came. */
  readonly oldestMs: number;
  /** When the latest request came. */
  readonly lastArrivalMs: number;
  /** Mean time between two arrivals. */
  readonly gapMs: number;
  /** Whether more than one request was there at a time lately: one alone has nobody to wait for. */
  readonly company: boolean;
  readonly cost: Cost;
}

export interface WaitLimits {
  /** In rows. */
  readonly maxBatchSize: number;
  readonly maxDelayMs: number;
}

/**
 * How long to wait for another request before the batch is sent, in milliseconds; 0: send it now.
 *
 * Waiting pays while it saves more time than it costs, over all requests together. One that comes `gap` from now and
 * finds the batch gone waits for that to end and then pays the fixed cost of a batch of its own; joined, it is done
 * `fixed - gap` earlier. Each request at hand is done `gap + perRow × rows` later instead. So a batch waits while
 * `fixed - gap > requests × (gap + perRow × rows)`: for an engine with a high fixed cost under dense traffic, and never
 * for one whose cost grows with the rows alone.
 */
export function waitMs(situation: Situation, { maxBatchSize, maxDelayMs }: WaitLimits): number {
  const { nowMs, requests, rows, oldestMs, lastArrivalMs, gapMs, company, cost } = situation;
  if (!company || rows >= maxBatchSize) return 0;
  const rowsEach = rows / requests;
  // The gap up to which waiting pays.
  const worthMs = (cost.fixedMs - requests * cost.perRowMs * rowsEach) / (requests + 1);
  if (gapMs >= worthMs) return 0;
  return Math.max(0, Math.min(oldestMs + maxDelayMs, lastArrivalMs + worthMs) - nowMs);
}
