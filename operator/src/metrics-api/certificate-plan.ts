import { createPrivateKey } from 'node:crypto';
import { type CertificateSet, parseCertificate, type ServingCertificate } from './certificate-secret.ts';

export interface CertificateOptions {
  /** The name under which the API server calls us. */
  readonly dnsName: string;
  readonly lifetimeMs: number;
}

export type CertificatePlan =
  /** Nothing to do; look again in so many milliseconds. */
  | { readonly action: 'keep'; readonly forMs: number }
  /** Nothing usable is there: make one and serve it at once. */
  | { readonly action: 'issue-current' }
  /** Make the next one, to be served later. */
  | { readonly action: 'issue-next' }
  /** Serve the next one from now on. */
  | { readonly action: 'promote' };

/** Certificates are valid from so long before they are made: clocks differ. */
export const BACKDATED_MS = 5 * 60_000;
/** API servers have so long to learn of a new authority before what it vouches for is served. */
const OVERLAP_MS = 10 * 60_000;
/** While an authority is not in the APIService yet; a change of that one is looked at without waiting. */
const UNPUBLISHED_MS = 30_000;

/**
 * What to do about the certificates at `now`: a new one is made when a third of the lifetime is left, and served once
 * its authority has stood in the APIService, beside the former one, for the overlap.
 *
 * @param published whether every authority of `set` stands in the APIServices
 */
export function planCertificates(
  set: CertificateSet,
  published: boolean,
  now: number,
  options: CertificateOptions,
): CertificatePlan {
  const current = usable(set.current, now, options);
  const next = usable(set.next, now, options);
  if (current === undefined) return next === undefined ? { action: 'issue-current' } : { action: 'promote' };
  if (next !== undefined) {
    const waitMs = next.from + BACKDATED_MS + Math.min(OVERLAP_MS, options.lifetimeMs / 12) - now;
    if (waitMs > 0) return { action: 'keep', forMs: waitMs };
    if (published) return { action: 'promote' };
    return { action: 'keep', forMs: Math.max(1, Math.min(UNPUBLISHED_MS, current.to - now)) };
  }
  const leftMs = current.to - options.lifetimeMs / 3 - now;
  return leftMs > 0 ? { action: 'keep', forMs: leftMs } : { action: 'issue-next' };
}

/** From when to when it can be served, in milliseconds since the epoch; undefined where it cannot be now. */
function usable(
  pair: ServingCertificate | undefined,
  now: number,
  { dnsName }: CertificateOptions,
): { readonly from: number; readonly to: number } | undefined {
  const certificate = pair === undefined ? undefined : parseCertificate(pair.cert);
  if (pair === undefined || certificate === undefined) return undefined;
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (now < from || now >= to || certificate.checkHost(dnsName) === undefined) return undefined;
  try {
    return certificate.checkPrivateKey(createPrivateKey(pair.key)) ? { from, to } : undefined;
  } catch {
    return undefined;
  }
}
