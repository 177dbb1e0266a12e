import { silentObserver } from '../../batching/test-support/silent-observer.ts';
import type { ServerEnvironment } from '../../config/environment.ts';
import { ServerSettingsSchema } from '../../config/server-config.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { ModelFailure } from '../../failures.ts';
import { createModels } from '../create-models.ts';
import type { ModelProgress } from '../model-progress.ts';

export interface TestModelsOptions {
  readonly cacheDirectory: string;
  readonly npmRegistry?: string;
  readonly tensorflowDirectory?: string;
  readonly settings?: object;
}

/** For tests: the models of a server with one thread an engine, and everything that they told. */
export function testModels({ cacheDirectory, npmRegistry, tensorflowDirectory, settings = {} }: TestModelsOptions) {
  const progress: ModelProgress[] = [];
  const fatal: ModelFailure[] = [];
  const environment: ServerEnvironment = {
    config: undefined,
    modelCacheDirectory: cacheDirectory,
    tensorflowDirectory: tensorflowDirectory ?? '/nowhere',
    cpus: 1,
    npmRegistry: npmRegistry ?? 'http://127.0.0.1:1/',
    npmToken: undefined,
  };
  const models = createModels({
    settings: ServerSettingsSchema.parse(settings),
    environment,
    processEnvironment: process.env,
    onProgress: (step) => progress.push(step),
    observe: () => silentObserver,
    onFatal: (failure) => fatal.push(failure),
    onRestart: () => undefined,
  });
  return { ...models, progress, fatal };
}

/** A tensor of 32-bit floats. */
export function floats(shape: readonly number[], values: readonly number[]): Tensor {
  return { datatype: 'FP32', shape, data: Float32Array.from(values) };
}
