import type { EngineName, ModelFormat } from '../model/served-model.ts';
import type { Tensor, TensorSpec } from './tensor.ts';

/** What an engine thread is told when it starts. */
export interface EngineWorkerData {
  readonly engine: EngineName;
  /** Folder of the native engine; engine TensorFlow only. */
  readonly tensorflowDirectory: string | undefined;
}

/** What an engine thread says once, when its engine is there. */
export interface EngineStarted {
  readonly type: 'started';
  /** Whether the engine computes on a GPU. */
  readonly gpu: boolean;
}

/** A model as the engine thread gets it: parsed JSON and the bytes of its weights, shared by all threads. */
export interface EngineModel {
  readonly format: ModelFormat;
  /** The parsed model.json; its weightsManifest describes `weights`. */
  readonly json: object;
  /** All weights files, one after the other, in the manifest's order. */
  readonly weights: SharedArrayBuffer;
}

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Tensors under their names, as they cross between threads. */
export type NamedTensors = readonly (readonly [name: string, tensor: Tensor])[];

/** What one inference gave. */
export interface InferenceResult {
  readonly tensors: NamedTensors;
  /** What the engine took for it, without the way there and back, in milliseconds. */
  readonly durationMs: number;
}

/** The calls that an engine thread answers, by name: what each takes and gives. */
export interface EngineCalls {
  load: { readonly takes: { readonly model: number; readonly content: EngineModel }; readonly gives: ModelSignature };
  unload: { readonly takes: { readonly model: number }; readonly gives: null };
  infer: {
    readonly takes: { readonly model: number; readonly inputs: NamedTensors; readonly outputs: readonly string[] };
    readonly gives: InferenceResult;
  };
  /** How many tensors the engine holds: weights, and whatever leaked. */
  countTensors: { readonly takes: null; readonly gives: number };
}

export type EngineCallName = keyof EngineCalls;

/** One call to an engine thread. */
export type EngineRequest = {
  readonly [Name in EngineCallName]: {
    readonly id: number;
    readonly call: Name;
    readonly argument: EngineCalls[Name]['takes'];
  };
}[EngineCallName];

/** Why a call failed, as plain data. `operation` names what the engine lacks. */
export interface EngineCallFailure {
  readonly kind: 'UnsupportedOperation' | 'InvalidModel' | 'OutOfMemory' | 'Failed';
  readonly message: string;
  readonly operation?: string;
  /** The engine cannot go on after it, and its thread ends. */
  readonly fatal?: true;
}

export type EngineReply =
  | { readonly type: 'reply'; readonly id: number; readonly value: EngineCalls[EngineCallName]['gives'] }
  | { readonly type: 'reply'; readonly id: number; readonly failure: EngineCallFailure };
