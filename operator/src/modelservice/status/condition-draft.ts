import type { Reason } from './reasons.ts';

/** A condition as decided, before it gets its generation and time. */
export interface ConditionDraft {
  readonly type:
    | 'Ready'
    | 'Reconciling'
    | 'Stalled'
    | 'Scheduled'
    | 'ModelLoaded'
    | 'AutoscalingActive'
    | 'CanScaleToZero'
    | 'Drifted';
  readonly status: 'True' | 'False';
  readonly reason: Reason;
  readonly message: string;
}
