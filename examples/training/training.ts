import type { TensorFlow } from '../../server-image/src/engine/load-tensorflow.ts';
import type { Progress } from './progress.ts';

/** What `npm run train` hands to the script of an example. */
export interface TrainingContext {
  readonly tf: TensorFlow;
  /** The example's folder: the model goes into its sub-folder `model`. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly progress: Progress;
}

/** What `examples/NAME/train.ts` exports under the name `train`. */
export type Training = (context: TrainingContext) => Promise<void>;
