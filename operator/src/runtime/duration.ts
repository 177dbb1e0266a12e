const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/**
 * Milliseconds of a Gateway API duration (GEP-2257), such as `1h30m`. The CRD's rules admit nothing else, so another
 * form is a fault of ours.
 */
export function durationMs(duration: string): number {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(duration)) {
    throw new Error(`Could not read the duration "${duration}": write hours, minutes, seconds or ms, such as 1h30m`);
  }
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}
