/**
 * The engine thread: owns TensorFlow.js and its models, and answers the main thread's calls one after the other. What
 * the engine computes blocks this thread and no other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { datatypeOf, tfjsDtype } from './datatypes.ts';
import { describeEngineError } from './engine-errors.ts';
import type {
  EngineCalls,
  EngineReply,
  EngineRequest,
  EngineWorkerData,
  InferenceResult,
  NamedTensors,
} from './engine-messages.ts';
import { loadGraphRunnable } from './graph-runnable.ts';
import { loadLayersRunnable } from './layers-runnable.ts';
import type { Runnable } from './runnable.ts';
import type { Tensor } from './tensor.ts';
import { loadTfjs } from './tfjs.ts';

const port = parentPort;
if (port === null) throw new Error('The engine runs in a worker thread of the model server');
const { engine } = workerData as EngineWorkerData;
const { tf, gpu } = await loadTfjs(workerData as EngineWorkerData);
const models = new Map<number, Runnable>();

let last: Promise<void> = Promise.resolve();
port.on('message', (request: EngineRequest) => {
  last = last.then(() => answer(request));
});
port.postMessage({ type: 'started', gpu });

async function answer(request: EngineRequest): Promise<void> {
  try {
    const value = await perform(request);
    const reply: EngineReply = { type: 'reply', id: request.id, value };
    port?.postMessage(reply, request.call === 'infer' ? buffers((value as InferenceResult).tensors) : []);
  } catch (error) {
    const failure = describeEngineError(error);
    port?.postMessage({ type: 'reply', id: request.id, failure } satisfies EngineReply);
    // An error that nobody handles ends this thread; the main thread starts another.
    if (failure.fatal) throw error;
  }
}

async function perform(request: EngineRequest): Promise<EngineReplyValue> {
  switch (request.call) {
    case 'load':
      return load(request.argument);
    case 'unload':
      models.get(request.argument.model)?.dispose();
      models.delete(request.argument.model);
      return null;
    case 'infer':
      return infer(request.argument);
    case 'countTensors':
      return tf.memory().numTensors;
  }
}
type EngineReplyValue = EngineCalls[keyof EngineCalls]['gives'];

async function load({ model, content }: EngineCalls['load']['takes']): Promise<EngineCalls['load']['gives']> {
  const runnable = await (content.format === 'GraphModel' ? loadGraphRunnable : loadLayersRunnable)(tf, content);
  // A thread that was just replaced may be given one model twice.
  models.get(model)?.dispose();
  models.set(model, runnable);
  return runnable.signature;
}

async function infer({ model, inputs, outputs }: EngineCalls['infer']['takes']): Promise<InferenceResult> {
  const startedMs = performance.now();
  const runnable = models.get(model);
  if (runnable === undefined) throw new Error('The model is not loaded');
  const given = new Map<string, TfTensor>();
  const results: TfTensor[] = [];
  // A scope rather than tidy(): what an error leaves behind is freed in the asynchronous case as well.
  tf.engine().startScope();
  try {
    for (const [name, { data, shape, datatype }] of inputs) {
      given.set(name, tf.tensor(data, [...shape], tfjsDtype(datatype)));
    }
    results.push(...(await runnable.run(given, outputs)));
    const tensors = results.map((tensor, index) => [outputs[index] ?? '', read(tensor)] as const);
    return { tensors, durationMs: performance.now() - startedMs };
  } finally {
    tf.dispose([...given.values(), ...results]);
    tf.engine().endScope();
  }
}

function read(tensor: TfTensor): Tensor {
  const datatype = datatypeOf(tensor.dtype);
  if (datatype === undefined) throw new Error(`The model gave a tensor of dtype ${tensor.dtype}, which is not served`);
  const data = tensor.dataSync() as Tensor['data'];
  // The plain backend hands out its own array: moving that to the other thread would empty a weight.
  return { datatype, shape: tensor.shape, data: engine === 'JavaScript' ? data.slice() : data };
}

/** Each buffer once: two outputs may be one tensor. */
function buffers(tensors: NamedTensors): ArrayBuffer[] {
  return [...new Set(tensors.map(([, { data }]) => data.buffer))];
}
