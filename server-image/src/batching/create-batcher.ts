import type { ModelEntry } from '../config/server-config.ts';
import type { EngineModelHandle } from '../engine/engine.ts';
import type { TensorSpec } from '../engine/tensor.ts';
import type { BatchObserver } from './batch-observer.ts';
import { Batcher, type Joining } from './batcher.ts';
import { systemClock } from './clock.ts';
import { groupOf } from './joinable.ts';

/** Requests that may wait for a model without `batching`, as many as the API's default with it. */
export const DEFAULT_MAX_QUEUE_SIZE = 256;

export interface CreateBatcherOptions {
  /** Of the model's entry; undefined: requests are not joined. */
  readonly batching: ModelEntry['batching'];
  /** Why requests cannot be joined though `batching` asks for it. */
  readonly notJoined: string | undefined;
  readonly inputs: readonly TensorSpec[];
  /** How many inferences the engine can run at a time. */
  readonly threads: number;
  readonly observer: BatchObserver;
  run: EngineModelHandle['run'];
}

/** The queue before one loaded model. */
export function createBatcher({ batching, notJoined, inputs, threads, observer, run }: CreateBatcherOptions): Batcher {
  const joins = batching !== undefined && notJoined === undefined;
  if (notJoined !== undefined) observer.notJoined(notJoined);
  const joining: Joining | undefined = joins
    ? {
        maxBatchSize: batching.maxBatchSize,
        maxDelayMs: batching.maxDelayMs,
        groupOf: (given) => groupOf(given, inputs),
      }
    : undefined;
  return new Batcher({
    joining,
    maxQueueSize: batching?.maxQueueSize ?? DEFAULT_MAX_QUEUE_SIZE,
    threads,
    clock: systemClock,
    observer,
    run,
  });
}
