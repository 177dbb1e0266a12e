import type { Reason } from './reasons.ts';

/** Something that is wrong, in words for the model owner: what, where, and what to do next. */
export interface Problem {
  readonly reason: Reason;
  readonly message: string;
}

/** A problem of one child: it is not as the spec asks, and trying again at once would not help. */
export interface ChildProblem extends Problem {
  readonly kind: string;
}
