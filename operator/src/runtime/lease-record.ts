import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube/types.ts';

/** Times are MicroTime (RFC 3339 with six digits): told to people, never compared with a clock of ours. */
export interface LeaseSpec {
  /** '' or absent: nobody. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  /** How often it went to another holder. */
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** A Lease, and since when we have seen it say what it says, by a clock that never jumps. */
export interface ObservedLease {
  readonly lease: Lease;
  readonly sinceMs: number;
}

/** @param nowMs when the answer that brought `lease` had come, which is later than when the server stored it */
export function observed(before: ObservedLease | undefined, lease: Lease, nowMs: number): ObservedLease {
  const unchanged = before !== undefined && isDeepStrictEqual(before.lease.spec, lease.spec);
  return { lease, sinceMs: unchanged ? before.sinceMs : nowMs };
}

/** Who holds it; undefined: nobody. */
export function holderOf({ spec }: Lease): string | undefined {
  return spec?.holderIdentity || undefined;
}

/** When the holder's time runs out, unless it shows signs of life before, by the clock that it was observed with. */
export function runsOutAtMs({ lease, sinceMs }: ObservedLease, defaultDurationMs: number): number {
  const seconds = lease.spec?.leaseDurationSeconds;
  return sinceMs + (seconds === undefined ? defaultDurationMs : seconds * 1000);
}

/** The record with which `identity` takes the lease or, where it has it already, renews it. */
export function recordOf(
  identity: string,
  lease: Lease | undefined,
  { leaseDurationMs, now }: { readonly leaseDurationMs: number; readonly now: number },
): LeaseSpec {
  const time = microTime(now);
  const leaseDurationSeconds = Math.ceil(leaseDurationMs / 1000);
  const renewed = { holderIdentity: identity, leaseDurationSeconds, renewTime: time };
  if (lease === undefined) return { ...renewed, acquireTime: time, leaseTransitions: 0 };
  if (holderOf(lease) === identity) return { acquireTime: time, leaseTransitions: 0, ...lease.spec, ...renewed };
  return { ...lease.spec, ...renewed, acquireTime: time, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 };
}

/** The record with which its holder gives it back. A second is the shortest duration that the API server takes. */
export function releasedRecord({ spec }: Lease, now: number): LeaseSpec {
  const time = microTime(now);
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}

function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}
