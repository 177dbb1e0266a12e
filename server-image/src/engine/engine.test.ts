import { strict as assert } from 'node:assert';
import { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import { InferenceError, type ModelFailure } from '../failures.ts';
import type { EngineName } from '../model/served-model.ts';
import { floats } from '../model/test-support/test-models.ts';
import { Engine, type EngineModelHandle } from './engine.ts';
import type { EngineModel } from './engine-messages.ts';

const never = new AbortController().signal;
const content: EngineModel = { format: 'LayersModel', json: {}, weights: new SharedArrayBuffer(0) };

describe('Engine', () => {
  it('starts another thread for one that threw, with its models in it', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    await rejects(run(model, -1), 'EngineRestarted', /this thread was told to end/);
    assert.equal(await run(model, 7), 7);
    assert.deepEqual(test.restarts, ['this thread was told to end']);
  });

  it('gives a model also to a thread that was replaced while the model was loaded', async () => {
    await using test = await started({ name: 'Wasm', threads: 2 });
    const former = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    let loaded = 0;
    const model = await test.engine.load(
      async () => content,
      async () => {
        loaded += 1;
        if (loaded !== 2) return;
        await rejects(run(former, -1), 'EngineRestarted', /told to end/);
        assert.equal(await run(former, 1), 1);
      },
    );
    assert.deepEqual(await Promise.all([run(model, 3), run(model, 4)]), [3, 4]);
  });

  it('hands the engine what it needs of the content, and not what else is with it', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const uncloneable = { ...content, warmup: () => undefined };
    const model = await test.engine.load(
      async () => uncloneable,
      async () => undefined,
    );
    assert.equal(await run(model, 5), 5);
  });

  it('rejects what was with the thread that ended, and runs what waited on the next one', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const results = await Promise.allSettled([run(model, 1), run(model, -1), run(model, 2), run(model, 3)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.equal(await run(model, 4), 4);
  });

  it('sends nothing more to a thread that said it breaks', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const broken = run(model, -3);
    await assert.rejects(broken, { name: 'EngineCallError', fatal: true });
    // At once, while the thread is not yet seen to have ended.
    assert.deepEqual(await Promise.all([run(model, 1), run(model, 2)]), [1, 2]);
    assert.deepEqual(test.restarts, ['this thread broke']);
  });

  it('gives up on a thread that keeps ending', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    for (let times = 0; times < 6; times += 1) await rejects(run(model, -1), 'EngineRestarted', /./);
    assert.deepEqual(
      test.fatal.map(({ reason }) => reason),
      ['EngineCrashed'],
    );
    assert.match(test.fatal[0]?.message ?? '', /ended 6 times within a minute: this thread was told to end/);
  });

  it('ends a wasm inference that does not come back, and goes on', async () => {
    await using test = await started({ name: 'Wasm', threads: 1, watchdogMs: 100 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    await rejects(run(model, -2), 'EngineRestarted', /did not end within 0\.1 s/);
    assert.equal(await run(model, 5), 5);
    assert.deepEqual(test.fatal, []);
  });

  it('calls a native inference that does not come back fatal', async () => {
    await using test = await started({ name: 'TensorFlow', threads: 1, watchdogMs: 100 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const hung = run(model, -2).catch(() => undefined);
    const failure = await test.firstFatal;
    assert.equal(failure.reason, 'EngineCrashed');
    assert.match(failure.message, /An inference of the engine TensorFlow did not end within 0\.1 s/);
    await test.engine.close();
    await hung;
  });

  it('drops a request that was given up while it waited', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const given = new AbortController();
    const first = [run(model, 1), run(model, 2)];
    const dropped = run(model, -1, given.signal);
    // One turn, after which the calls are in the thread's queue.
    await Promise.resolve();
    given.abort();
    await rejects(dropped, 'Cancelled', /given up/);
    assert.deepEqual(await Promise.all(first), [1, 2]);
    assert.deepEqual(test.restarts, []);
  });

  it('takes two tensors that share one buffer', async () => {
    await using test = await started({ name: 'Wasm', threads: 1 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const both = Float32Array.from([1, 2]);
    const half = (index: number) => ({ datatype: 'FP32' as const, shape: [1], data: both.subarray(index, index + 1) });
    const { outputs } = await model.run(
      new Map([
        ['a', half(0)],
        ['b', half(1)],
      ]),
      ['a', 'b'],
      never,
    );
    assert.deepEqual(
      [...outputs.values()].flatMap(({ data }) => [...data]),
      [1, 2],
    );
  });

  it('spreads requests over its threads', async () => {
    await using test = await started({ name: 'Wasm', threads: 2, watchdogMs: 1000 });
    const model = await test.engine.load(
      async () => content,
      async () => undefined,
    );
    const hung = run(model, -2).catch(() => 'hung');
    assert.equal(await run(model, 3), 3);
    assert.equal(await hung, 'hung');
  });

  it('says how an engine that does not start can be had', async () => {
    const engine = new Engine({
      ...options([], [], () => undefined),
      name: 'TensorFlow',
      threads: 1,
      spawn: () => new Worker('throw new Error("no library")', { eval: true }),
    });
    await assert.rejects(engine.start(), {
      reason: 'EngineUnavailable',
      message: /no library.*npm run build:tensorflow/,
    });
  });
});

function options(restarts: string[], fatal: ModelFailure[], onFatal: (failure: ModelFailure) => void) {
  return {
    watchdogMs: 60_000,
    spawn: () => new Worker(new URL('./test-support/echo-worker.ts', import.meta.url)),
    now: () => 0,
    onFatal: (failure: ModelFailure) => {
      fatal.push(failure);
      onFatal(failure);
    },
    onRestart: (error: Error) => restarts.push(error.message),
  };
}

async function started(given: { name: EngineName; threads: number; watchdogMs?: number }) {
  const restarts: string[] = [];
  const fatal: ModelFailure[] = [];
  const { promise: firstFatal, resolve } = Promise.withResolvers<ModelFailure>();
  const engine = new Engine({ ...options(restarts, fatal, resolve), ...given });
  await engine.start();
  return { engine, restarts, fatal, firstFatal, [Symbol.asyncDispose]: () => engine.close() };
}

async function run(model: EngineModelHandle, value: number, signal = never): Promise<number | undefined> {
  const { outputs } = await model.run(new Map([['x', floats([1], [value])]]), ['x'], signal);
  return outputs.get('x')?.data[0];
}

function rejects(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof InferenceError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}
