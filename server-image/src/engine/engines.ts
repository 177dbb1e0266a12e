import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ModelFailure } from '../failures.ts';
import type { EngineName } from '../model/served-model.ts';
import { Engine } from './engine.ts';
import type { EngineWorkerData } from './engine-messages.ts';
import type { EngineWorker } from './engine-thread.ts';
import { setTensorflowEnvironment } from './tensorflow-environment.ts';
import { tensorflowMarker } from './tensorflow-location.ts';

/**
 * Four times the API's default request timeout of 30 s: nobody waits for such an inference any more.
 */
const DEFAULT_WATCHDOG_MS = 120_000;

/** Beyond this many threads, each with its own copy of the weights, memory grows faster than throughput. */
const MAX_THREADS = 8;

export interface EnginesOptions {
  /** Where the native engine lies, if it was built; see tensorflow-location.ts. */
  readonly tensorflowDirectory: string;
  /** CPUs for inference: threads inside TensorFlow, or the number of wasm threads. */
  readonly threads: number;
  /** Whether a GPU was asked for; TensorFlow without one is then a failure. */
  readonly requireGPU: boolean;
  /** The environment of this process, into which TensorFlow's variables are written. */
  readonly environment: NodeJS.ProcessEnv;
  /** Default: 120 000. */
  readonly watchdogMs?: number;
  onFatal(failure: ModelFailure): void;
  onRestart(engine: EngineName, error: Error): void;
}

/** The engines of this process, each started when the first model needs it. */
export class Engines {
  readonly requireGPU: boolean;
  readonly #options: EnginesOptions;
  readonly #engines = new Map<EngineName, Promise<Engine>>();

  constructor(options: EnginesOptions) {
    this.#options = options;
    this.requireGPU = options.requireGPU;
  }

  /** Whether the native engine is in this image, or was built on this machine. */
  get hasTensorflow(): boolean {
    return existsSync(tensorflowMarker(this.#options.tensorflowDirectory));
  }

  /** @throws ModelFailure `EngineUnavailable`, `GPUNotUsable` */
  get(name: EngineName): Promise<Engine> {
    const known = this.#engines.get(name);
    if (known !== undefined) return known;
    const starting = this.#start(name);
    this.#engines.set(name, starting);
    starting.catch(() => this.#engines.delete(name));
    return starting;
  }

  async close(): Promise<void> {
    const started = await Promise.allSettled(this.#engines.values());
    await Promise.all(started.map((engine) => (engine.status === 'fulfilled' ? engine.value.close() : undefined)));
  }

  async #start(name: EngineName): Promise<Engine> {
    const { threads, tensorflowDirectory, environment, watchdogMs = DEFAULT_WATCHDOG_MS } = this.#options;
    if (name === 'TensorFlow') {
      if (!this.hasTensorflow) throw notBuilt(tensorflowDirectory);
      setTensorflowEnvironment(environment, threads);
    }
    const engine = new Engine({
      name,
      threads: name === 'TensorFlow' ? 1 : Math.min(threads, MAX_THREADS),
      watchdogMs,
      spawn: () => spawnWorker({ engine: name, tensorflowDirectory }),
      now: Date.now,
      onFatal: this.#options.onFatal,
      onRestart: (error) => this.#options.onRestart(name, error),
    });
    await engine.start();
    if (this.requireGPU && !engine.gpu) {
      await engine.close();
      throw new ModelFailure('GPUNotUsable', NO_GPU);
    }
    return engine;
  }
}

const NO_GPU =
  'A GPU was asked for, and TensorFlow does not see one that it can use: check that the image is the one for GPUs, that the node has a driver for CUDA 12 and that the pod was given a GPU';

function notBuilt(directory: string): ModelFailure {
  return new ModelFailure(
    'EngineUnavailable',
    `The engine TensorFlow is not in ${directory}: run "npm run build:tensorflow" on this machine, use the image with TensorFlow in a cluster, or set engine: Wasm`,
  );
}

function spawnWorker(workerData: EngineWorkerData): EngineWorker {
  return new Worker(new URL('./engine-worker.ts', import.meta.url), { workerData, stdout: false, stderr: false });
}
