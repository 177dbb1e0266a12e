import type { FailureReason } from '../failures.ts';
import type { EngineName, ModelFormat, ModelPhase } from './served-model.ts';

/** Where one model is; the fields are those of ModelProgress in control.schema.json. */
export interface ModelProgress {
  readonly model: string;
  readonly version: string;
  readonly phase: ModelPhase | 'Removed';
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  readonly digest?: string;
  readonly format?: ModelFormat;
  readonly engine?: EngineName;
  readonly reason?: FailureReason;
  readonly message?: string;
}
