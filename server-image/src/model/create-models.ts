import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchObserver } from '../batching/batch-observer.ts';
import type { ServerEnvironment } from '../config/environment.ts';
import type { ServerSettings } from '../config/server-config.ts';
import { Engines } from '../engine/engines.ts';
import type { ModelFailure } from '../failures.ts';
import { ModelManager } from './model-manager.ts';
import type { ModelProgress } from './model-progress.ts';
import type { Scheme } from './model-uri.ts';
import type { EngineName } from './served-model.ts';
import { configMapSource } from './source/config-map-source.ts';
import { downloadDispatcher } from './source/download.ts';
import { fileSource } from './source/file-source.ts';
import { httpSource } from './source/http-source.ts';
import type { ModelSource } from './source/model-source.ts';
import { ModelStore } from './source/model-store.ts';
import { npmSource } from './source/npm-source.ts';

export interface CreateModelsOptions {
  readonly settings: ServerSettings;
  readonly environment: ServerEnvironment;
  /** The main thread's `process.env`: the native engine's variables are written into it. */
  readonly processEnvironment: NodeJS.ProcessEnv;
  /** Told of every step of every model. */
  onProgress(progress: ModelProgress): void;
  /** Who is told of the requests for a model. */
  observe(model: string, version: string): BatchObserver;
  /** An engine is beyond repair: the process must end with this failure. */
  onFatal(failure: ModelFailure): void;
  /** An engine thread ended and is being replaced. */
  onRestart(engine: EngineName, error: Error): void;
}

/** The models of a server and what they stand on. */
export interface Models extends AsyncDisposable {
  readonly manager: ModelManager;
  /** Finishes what runs and ends the engine threads; also by `await using`. */
  close(): Promise<void>;
}

/** Puts sources, engines and the manager together; loads nothing yet: `manager.apply(config.models)` does. */
export function createModels(options: CreateModelsOptions): Models {
  const { settings, environment, onProgress, observe, onFatal, onRestart } = options;
  const engines = new Engines({
    tensorflowDirectory: environment.tensorflowDirectory,
    threads: settings.engineThreads ?? environment.cpus,
    requireGPU: settings.requireGPU,
    environment: options.processEnvironment,
    onFatal,
    onRestart,
  });
  const { sources, close: closeSources } = createSources(settings, environment);
  const manager = new ModelManager({ engines, sources, onProgress, observe });
  const close = async () => {
    await manager.close();
    await engines.close();
    await closeSources();
  };
  return { manager, close, [Symbol.asyncDispose]: close };
}

/** One source for each scheme. */
export function createSources(
  settings: ServerSettings,
  environment: ServerEnvironment,
): { readonly sources: Readonly<Record<Scheme, ModelSource>>; close(): Promise<void> } {
  const store = new ModelStore(settings.cacheDir ?? environment.modelCacheDirectory);
  const dispatcher = downloadDispatcher();
  const context = { dispatcher, sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }) };
  const http = httpSource(store, context);
  const sources = {
    file: fileSource(settings.fileRoots),
    http,
    https: http,
    npm: npmSource(store, context, { url: environment.npmRegistry, token: environment.npmToken }),
    configmap: configMapSource(settings.configMapDir),
  };
  return { sources, close: () => dispatcher.destroy() };
}
