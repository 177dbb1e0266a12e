import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { BatchObserver } from '../batching/batch-observer.ts';
import { createBatcher } from '../batching/create-batcher.ts';
import { silentObserver } from '../batching/test-support/silent-observer.ts';
import type { ModelEntry } from '../config/server-config.ts';
import type { LoadedModel } from '../model/served-model.ts';
import { ask, eventually, type HalfPlusTwo, halfPlusTwo, type Started, served, start, tcp } from './test-support.ts';

const X = { name: 'x', datatype: 'FP32', shape: [1], data: [1] };
const PATH = '/v2/models/half/infer';

/** A server before whose model there is a queue. */
async function startQueued(batching: ModelEntry['batching']): Promise<Started & { readonly model: HalfPlusTwo }> {
  const model = halfPlusTwo();
  let observer: BatchObserver = silentObserver;
  const batcher = createBatcher({
    batching,
    notJoined: undefined,
    inputs: model.inputs,
    threads: 1,
    observer: {
      ...silentObserver,
      waiting: (change) => observer.waiting(change),
      began: (waitedMs) => observer.began(waitedMs),
      computed: (rows, tookMs) => observer.computed(rows, tookMs),
    },
    run: async (inputs, outputs, signal, onBegin) => {
      onBegin?.();
      return { outputs: await model.infer(inputs, outputs, signal), durationMs: 1 };
    },
  });
  const queued: LoadedModel = {
    ...model,
    infer: (inputs, outputs, signal, deadlineMs = Number.POSITIVE_INFINITY) =>
      batcher.infer({ inputs, outputs, signal, deadlineMs }),
  };
  const server = await start([served('half', queued)]);
  observer = { ...silentObserver, ...server.telemetry.batches('half', '1') };
  return { ...server, model };
}

async function sample({ telemetry }: Started, metric: string): Promise<number | undefined> {
  const text = await telemetry.registry.getSingleMetricAsString(/^(.*?)(_count|_sum)?$/.exec(metric)?.[1] ?? '');
  const value = new RegExp(`^${metric}\\{model="half",version="1"\\} (.*)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

describe('the queue before a model', () => {
  const short = { maxBatchSize: 4, maxDelayMs: 0, maxQueueSize: 2 };

  it('answers 429 with Retry-After when it is full, and takes requests again when it is not', async () => {
    await using server = await startQueued(short);
    const release = server.model.hold();
    const answers = [ask(server, PATH, { inputs: [X] })];
    await eventually('the first runs', () => server.model.begun() === 1);
    answers.push(ask(server, PATH, { inputs: [X] }), ask(server, PATH, { inputs: [X] }));
    await eventually('two wait', async () => (await sample(server, 'modelservice_requests_queued')) === 2);
    const refused = await ask(server, PATH, { inputs: [X] });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    assert.deepEqual(JSON.parse(refused.text), {
      error: '2 requests wait for this model, and no more are taken: try again in 1 s',
    });
    release();
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal((await ask(server, PATH, { inputs: [X] })).status, 200);
    assert.equal(await sample(server, 'modelservice_requests_queued'), 0);
    assert.equal(await sample(server, 'modelservice_queue_duration_seconds_count'), 4);
    assert.equal(await sample(server, 'modelservice_batch_size_count'), 3);
    assert.equal(await sample(server, 'modelservice_batch_size_sum'), 4);
    assert.equal(await sample(server, 'modelservice_inference_duration_seconds_count'), 3);
  });

  it('is bounded also where requests are not joined', async () => {
    await using server = await startQueued(undefined);
    const release = server.model.hold();
    // Two are with the engine, one of them next, and 256 wait.
    const answers = Array.from({ length: 258 }, () => ask(server, PATH, { inputs: [X] }));
    await eventually('all wait', async () => (await sample(server, 'modelservice_requests_queued')) === 256);
    assert.equal((await ask(server, PATH, { inputs: [X] })).status, 429);
    release();
    assert.deepEqual(new Set((await Promise.all(answers)).map(({ status }) => status)), new Set([200]));
  });

  it('answers 504 when the time is over that the client gave, and does not compute', async () => {
    await using server = await startQueued(short);
    const release = server.model.hold();
    const first = ask(server, PATH, { inputs: [X] });
    await eventually('the first runs', () => server.model.begun() === 1);
    const late = await ask(server, PATH, { inputs: [X] }, { method: 'POST', headers: { 'request-timeout': '0.05' } });
    assert.deepEqual([late.status, late.headers['retry-after']], [504, '1']);
    assert.match(
      late.text,
      /"The time for the request was over before the model could be run on it: .*Request-Timeout"/,
    );
    release();
    assert.equal((await first).status, 200);
    assert.equal(server.model.begun(), 1);
  });

  for (const value of ['0', 'soon', '-1', '1e3', '100000']) {
    it(`answers 400 to the header Request-Timeout: ${value}`, async () => {
      await using server = await startQueued(undefined);
      const answer = await ask(
        server,
        PATH,
        { inputs: [X] },
        { method: 'POST', headers: { 'request-timeout': value } },
      );
      assert.equal(answer.status, 400);
      assert.match(answer.text, /The header Request-Timeout is .*: write seconds, more than 0 and at most 86400/);
    });
  }

  it('forgets a client that left while it waited', async () => {
    await using server = await startQueued(short);
    const release = server.model.hold();
    const first = ask(server, PATH, { inputs: [X] });
    await eventually('the first runs', () => server.model.begun() === 1);
    const client = await tcp(server.port);
    const body = JSON.stringify({ inputs: [X] });
    client.socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await eventually('it waits', async () => (await sample(server, 'modelservice_requests_queued')) === 1);
    client.socket.destroy();
    await eventually('it is gone', async () => (await sample(server, 'modelservice_requests_queued')) === 0);
    release();
    assert.equal((await first).status, 200);
    assert.equal(server.model.begun(), 1);
  });
});
