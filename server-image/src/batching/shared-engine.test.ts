import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'mocha';
import { Engine } from '../engine/engine.ts';
import type { EngineRequest } from '../engine/engine-messages.ts';
import type { EngineWorker } from '../engine/engine-thread.ts';
import type { ServedModel } from '../model/served-model.ts';
import { floats } from '../model/test-support/test-models.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Batcher } from './batcher.ts';
import { createBatcher } from './create-batcher.ts';
import { silentObserver } from './test-support/silent-observer.ts';

const never = new AbortController().signal;

/** A thread whose models give their inputs back, each inference when it is told to. */
class ManualWorker extends EventEmitter implements EngineWorker {
  readonly #asked: Extract<EngineRequest, { call: 'infer' }>[] = [];

  postMessage(request: EngineRequest): void {
    if (request.call === 'infer') this.#asked.push(request);
    else this.#reply(request.id, request.call === 'load' ? { inputs: [], outputs: [] } : null);
  }

  /** Answers what it was asked first, and lets happen what follows from it. */
  async finishOne(): Promise<void> {
    const request = this.#asked.shift();
    assert.ok(request !== undefined);
    this.#reply(request.id, { tensors: request.argument.inputs, durationMs: 1 });
    await settled();
  }

  async terminate(): Promise<void> {}

  #reply(id: number, value: unknown): void {
    queueMicrotask(() => this.emit('message', { type: 'reply', id, value }));
  }
}

/** Lets promises that are kept be acted upon. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function served(name: string): ServedModel {
  return { name, version: '1', uri: 'file:///m', phase: 'Loading', loaded: undefined, failure: undefined };
}

/** Requests in flight and queued, by model. */
async function load({ registry }: Telemetry): Promise<object> {
  const text = await registry.metrics();
  const values = (metric: string) =>
    [...text.matchAll(new RegExp(`^modelservice_requests_${metric}\\{model="(\\w)",version="1"\\} (.*)$`, 'gm'))].map(
      ([, model, value]) => `${model} ${value}`,
    );
  return { inFlight: values('in_flight'), queued: values('queued') };
}

describe('two models on one engine thread', () => {
  it('count a request as queued until the engine begins with it, also behind the batch of the other model', async () => {
    const worker = new ManualWorker();
    const engine = new Engine({
      name: 'Wasm',
      threads: 1,
      watchdogMs: 60_000,
      spawn: () => worker,
      now: () => 0,
      onFatal: assert.fail,
      onRestart: assert.fail,
    });
    const started = engine.start();
    worker.emit('message', { type: 'started', gpu: false });
    await started;
    const telemetry = createTelemetry({ list: () => ['a', 'b'].map(served), get: served });
    const batchers: Record<string, Batcher> = {};
    for (const model of ['a', 'b']) {
      const handle = await engine.load(
        async () => ({ format: 'LayersModel', json: {}, weights: new SharedArrayBuffer(0) }),
        async () => undefined,
      );
      batchers[model] = createBatcher({
        batching: { maxBatchSize: 8, maxDelayMs: 0, maxQueueSize: 10 },
        notJoined: undefined,
        inputs: [],
        threads: 1,
        observer: { ...silentObserver, ...telemetry.batches(model, '1') },
        run: handle.run,
      });
    }
    const answers = ['a', 'a', 'b', 'a', 'b'].map(async (model) => {
      const span = telemetry.requestStarted(model, '1', 'v2');
      const inputs = new Map([['x', floats([1], [1])]]);
      await batchers[model]?.infer({ inputs, outputs: ['x'], signal: never, deadlineMs: Number.POSITIVE_INFINITY });
      span.end(200);
    });
    await settled();
    assert.deepEqual(await load(telemetry), { inFlight: ['a 3', 'b 2'], queued: ['a 2', 'b 2'] });
    await worker.finishOne();
    assert.deepEqual(await load(telemetry), { inFlight: ['a 2', 'b 2'], queued: ['a 2', 'b 1'] });
    await worker.finishOne();
    assert.deepEqual(await load(telemetry), { inFlight: ['a 2', 'b 1'], queued: ['a 0', 'b 1'] });
    await worker.finishOne();
    assert.deepEqual(await load(telemetry), { inFlight: ['a 0', 'b 1'], queued: ['a 0', 'b 0'] });
    await worker.finishOne();
    assert.deepEqual(await load(telemetry), { inFlight: ['a 0', 'b 0'], queued: ['a 0', 'b 0'] });
    await Promise.all(answers);
    await engine.close();
  });
});
