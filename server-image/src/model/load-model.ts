import type { BatchObserver } from '../batching/batch-observer.ts';
import { createBatcher } from '../batching/create-batcher.ts';
import type { ModelEntry } from '../config/server-config.ts';
import type { Engine, EngineModelHandle } from '../engine/engine.ts';
import { EngineCallError } from '../engine/engine-errors.ts';
import type { ModelSignature } from '../engine/engine-messages.ts';
import type { Engines } from '../engine/engines.ts';
import type { Tensor, TensorSpec } from '../engine/tensor.ts';
import { errorMessage, InferenceError, ModelFailure } from '../failures.ts';
import { engineCandidates } from './choose-engine.ts';
import type { ModelContent } from './model-content.ts';
import type { EngineName, LoadedModel } from './served-model.ts';
import { joiningTrial, tryJoining } from './try-joining.ts';
import { warmUpInputs } from './warm-up.ts';

export interface LoadModelOptions {
  /** Of the model, for messages. */
  readonly name: string;
  readonly engine: 'Auto' | EngineName;
  readonly engines: Engines;
  readonly signal: AbortSignal;
  /** How requests are joined; undefined: they are not. */
  readonly batching: ModelEntry['batching'];
  /** Told of the requests for this model. */
  readonly observer: BatchObserver;
  /** Reads the model's content again, for an engine thread that replaces another. */
  readAgain(): Promise<ModelContent>;
  onPhase(phase: 'Loading' | 'WarmingUp', engine: EngineName): void;
}

/** A loaded model and the way to be rid of it. */
export interface LoadedModelHandle {
  readonly model: LoadedModel;
  /** Frees the model; inferences that began before finish first. */
  unload(): Promise<void>;
}

/**
 * Loads a model into an engine and runs it once. Where the engine is chosen by this server, the next one is tried when
 * one lacks an operation of the model, which the engine itself says.
 *
 * @throws ModelFailure
 */
export async function loadModel(content: ModelContent, options: LoadModelOptions): Promise<LoadedModelHandle> {
  const { engines, engine: wanted, signal } = options;
  const candidates = engineCandidates({
    wanted,
    hasTensorflow: engines.hasTensorflow,
    requireGPU: engines.requireGPU,
  });
  const notes: string[] = [];
  let lacking: ModelFailure | undefined;
  for (const name of candidates) {
    signal.throwIfAborted();
    options.onPhase('Loading', name);
    const engine = await engines.get(name);
    try {
      return await loadInto(engine, content, notes, options);
    } catch (error) {
      const failure = toFailure(error, name);
      if (failure.reason !== 'UnsupportedOperation') throw failure;
      lacking ??= failure;
      notes.push(failure.message);
    }
  }
  throw lacking ?? new ModelFailure('EngineUnavailable', `There is no engine for ${wanted} here`);
}

async function loadInto(
  engine: Engine,
  content: ModelContent,
  notes: readonly string[],
  { name, onPhase, readAgain, signal, batching, observer }: LoadModelOptions,
): Promise<LoadedModelHandle> {
  let outputs: readonly TensorSpec[] = [];
  let note = '';
  let notJoined: string | undefined;
  let first: ModelContent | undefined = content;
  const read = () => {
    // The content at hand serves for the first time only, so that the weights do not stay in memory twice.
    const now = first === undefined ? readAgain() : Promise.resolve(first);
    first = undefined;
    return now;
  };
  const tryOut = async (signature: ModelSignature, run: EngineModelHandle['run']) => {
    const isFirst = note === '';
    if (isFirst) onPhase('WarmingUp', engine.name);
    const warmUp = warmUpInputs({ name, ...signature }, content.warmup);
    note = warmUp.note;
    const trial = isFirst && batching !== undefined ? joiningTrial(warmUp.inputs) : undefined;
    const wanted = signature.outputs.map((output) => output.name);
    const results = await warmedUp(() => run(warmUp.inputs, wanted, signal));
    outputs = signature.outputs.map((spec) => corrected(spec, results.outputs.get(spec.name)));
    if (isFirst && batching !== undefined) {
      const served = { inputs: signature.inputs, outputs };
      notJoined = await tryJoining(served, trial, results.outputs, (inputs) => run(inputs, wanted, signal));
    }
  };
  const handle = await engine.load(read, tryOut);
  const { inputs } = handle.signature;
  const batcher = createBatcher({
    batching,
    notJoined,
    inputs,
    threads: handle.threads,
    observer,
    run: (...call) => inferring(() => handle.run(...call)),
  });
  return {
    model: {
      digest: content.digest,
      format: content.format,
      engine: engine.name,
      inputs,
      outputs,
      notes: [...notes, note, ...joiningNotes(batching, notJoined)],
      infer: (given, wanted, inferSignal, deadlineMs = Number.POSITIVE_INFINITY) =>
        batcher.infer({ inputs: given, outputs: wanted, signal: inferSignal, deadlineMs }),
    },
    unload: () => handle.unload(),
  };
}

function joiningNotes(batching: ModelEntry['batching'], notJoined: string | undefined): readonly string[] {
  if (batching === undefined) return [];
  if (notJoined !== undefined) return [`Requests are not joined: ${notJoined}`];
  return [`Requests are joined up to ${batching.maxBatchSize} rows`];
}

/** What the model says of an output, put right by what it gave: a graph may know neither rank nor dtype. */
function corrected(spec: TensorSpec, result: Tensor | undefined): TensorSpec {
  if (result === undefined) return spec;
  const shape = spec.shape.length === result.shape.length ? spec.shape : result.shape.map(() => -1);
  return { name: spec.name, datatype: result.datatype, shape };
}

async function warmedUp<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EngineCallError && error.kind === 'Failed') {
      throw new ModelFailure('WarmupFailed', `The model's first inference failed: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

async function inferring<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    const code = error instanceof EngineCallError && error.fatal ? 'EngineBroken' : 'Failed';
    throw new InferenceError(code, `The model could not be run: ${errorMessage(error)}`, { cause: error });
  }
}

/** What an engine said of a model, as a reason and a sentence for its owner. */
function toFailure(error: unknown, engine: EngineName): ModelFailure {
  if (error instanceof ModelFailure) return error;
  const cause = { cause: error };
  if (error instanceof EngineCallError) {
    if (error.kind === 'UnsupportedOperation') {
      return new ModelFailure(
        'UnsupportedOperation',
        `The engine ${engine} lacks ${error.operation}, which the model uses: ${error.message}`,
        cause,
      );
    }
    const reason = error.kind === 'OutOfMemory' ? 'OutOfMemory' : 'InvalidModel';
    return new ModelFailure(reason, `The engine ${engine} could not load the model: ${error.message}`, cause);
  }
  const message = errorMessage(error);
  const reason = /ERR_WORKER_OUT_OF_MEMORY|memory limit/i.test(message) ? 'OutOfMemory' : 'EngineCrashed';
  return new ModelFailure(reason, `The engine ${engine} ended while it loaded the model: ${message}`, cause);
}
