import type { AnyObject } from '../test-api.ts';

/** Namespaces of the suite: in each something else is enforced. */
export const PLACES = ['plain', 'podQuota', 'computeQuota', 'objectQuota', 'limits', 'secure'] as const;
export type Place = (typeof PLACES)[number];

/** A failure of the table in docs/troubleshooting.md. */
export interface Cause {
  /** The ModelService's name. */
  readonly name: string;
  /** In its owner's words. */
  readonly failure: string;
  /**
   * `real`: the control plane made it out of what the owner asked for. `status`: written into a status word for word as
   * the kubelet, or the controller named, writes it, because the test cluster has no kubelet or it would take too long.
   */
  readonly made: 'real' | 'status';
  /** By what. */
  readonly by: string;
  /** Default: plain. */
  readonly place?: Place;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Before the ModelService is there. */
  readonly prepare?: (ref: Ref) => Promise<unknown>;
  /** Once its pod is there. */
  readonly provoke?: (ref: Ref, pod: AnyObject) => Promise<unknown>;
  readonly expected: Expected;
}

export interface Ref {
  readonly namespace: string;
  readonly name: string;
}

export interface Expected {
  /** Default: Ready. */
  readonly condition?: string;
  /** Default: False. */
  readonly status?: 'True' | 'False';
  readonly reason: string;
  /** With NAMESPACE for the namespace's name, and TIME for a time. */
  readonly message: string;
  /** The columns Ready and Reason; default: as the condition Ready is expected to be. */
  readonly columns?: string;
}

export function columnsOf({ columns, status = 'False', reason }: Expected): string {
  return columns ?? `${status} ${reason}`;
}
