import type { KubeReviews } from '../kube/api.ts';
import { SUBJECT_ACCESS_REVIEW } from '../kube/resources.ts';
import type { Clock } from '../runtime/clock.ts';
import type { User } from './front-proxy.ts';

/** What is asked for, as a SubjectAccessReview has it. */
export type AccessAttributes =
  | { readonly resourceAttributes: Readonly<Record<string, string>> }
  | { readonly nonResourceAttributes: { readonly path: string; readonly verb: string } };

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

export interface AuthorizerOptions {
  readonly reviews: KubeReviews;
  readonly clock: Clock;
  /** For so long a decision holds. Default: 10 s, as Kubernetes' own aggregated APIs. */
  readonly keepMs?: number | undefined;
}

/** The groups of each user that the API server authenticated. Discovery comes without any. */
const AUTHENTICATED = 'system:authenticated';
/** May everything, also while the API server cannot be asked: its own availability checks come from there. */
const MASTERS = 'system:masters';
const MAX_KEPT = 10_000;

/** Asks the API server who may do what. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #kept = new Map<string, { readonly untilMs: number; readonly decision: Promise<Decision> }>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Rejects when the API server cannot be asked. */
  async authorize(user: User, attributes: AccessAttributes, signal: AbortSignal): Promise<Decision> {
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const { clock, keepMs = 10_000 } = this.#options;
    const spec = {
      user: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: [...new Set([...user.groups, AUTHENTICATED])],
      extra: user.extra,
      ...attributes,
    };
    const key = JSON.stringify(spec);
    const kept = this.#kept.get(key);
    if (kept !== undefined && clock.elapsedMs() < kept.untilMs) return await kept.decision;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const decision = this.#review(spec, signal);
    this.#kept.set(key, { untilMs: clock.elapsedMs() + keepMs, decision });
    try {
      return await decision;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  async #review(spec: object, signal: AbortSignal): Promise<Decision> {
    const { status } = await this.#options.reviews.create<{
      readonly status?: { readonly allowed?: boolean; readonly reason?: string };
    }>(SUBJECT_ACCESS_REVIEW, { spec }, signal);
    return { allowed: status?.allowed === true, reason: status?.reason ?? '' };
  }
}
