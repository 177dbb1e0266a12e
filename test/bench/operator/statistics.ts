/** The value that a share of the sorted values does not exceed; 0 for none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** `p50 / p99 / max`, with one digit. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => quantile(sorted, share).toFixed(1)).join(' / ');
}

/** Runs `task` for each item, so many at a time. */
export async function each<T>(items: Iterable<T>, workers: number, task: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let next = left.next(); next.done !== true; next = left.next()) await task(next.value);
    }),
  );
}
