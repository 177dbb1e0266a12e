/**
 * For tests: an engine thread whose model gives its input back, ends with an uncaught error when the input is one
 * element of -1, never comes back when it is one of -2, and reports that it breaks, and does, when it is one of -3.
 */
import { parentPort } from 'node:worker_threads';
import type { EngineRequest } from '../engine-messages.ts';

const loaded = new Set<number>();

parentPort?.on('message', (request: EngineRequest) => {
  const { id } = request;
  switch (request.call) {
    case 'load':
      loaded.add(request.argument.model);
      parentPort?.postMessage({ type: 'reply', id, value: { inputs: [], outputs: [] } });
      break;
    case 'infer': {
      const { model, inputs } = request.argument;
      const [first] = inputs[0]?.[1].data ?? [];
      if (first === -1) throw new Error('this thread was told to end');
      while (first === -2);
      if (first === -3) {
        const failure = { kind: 'Failed', message: 'this thread broke', fatal: true } as const;
        parentPort?.postMessage({ type: 'reply', id, failure });
        throw new Error('this thread broke');
      }
      if (loaded.has(model)) parentPort?.postMessage({ type: 'reply', id, value: { tensors: inputs, durationMs: 0 } });
      else
        parentPort?.postMessage({ type: 'reply', id, failure: { kind: 'Failed', message: 'The model is not loaded' } });
      break;
    }
    default:
      parentPort?.postMessage({ type: 'reply', id, value: null });
  }
});
parentPort?.postMessage({ type: 'started', gpu: false });
