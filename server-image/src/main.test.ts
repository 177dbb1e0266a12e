import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { Pool, request } from 'undici';
import type { ServerConfig } from './config/config.generated.ts';
import { startServer, temporaryFolder, writeLineModel } from './process-test-support.ts';

/** A body that a line model answers with slope · 4 + 2. */
const FOUR = JSON.stringify({ instances: [[4]] });

type Settings = NonNullable<ServerConfig['server']>;

function configOf(models: Readonly<Record<string, string>>, more: Settings = {}): ServerConfig {
  return {
    version: 1,
    server: { host: '127.0.0.1', port: 0, metricsPort: 0, engineThreads: 1, ...more },
    models: Object.entries(models).map(([name, uri]) => ({ name, uri, engine: 'JavaScript' })),
  };
}

async function predict(url: string, model: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await request(`${url}/v1/models/${model}:predict`, { method: 'POST', body: FOUR });
  return { status: answer.statusCode, body: await answer.body.json() };
}

/** Sends requests over a few connections, one after the other on each, until it is stopped or one fails. */
function load(url: string, model: string, connections: number) {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const answers: { readonly status: number; readonly text: string }[] = [];
  const failures: string[] = [];
  let running = true;
  const workers = Array.from({ length: connections }, async () => {
    while (running) {
      try {
        const answer = await pool.request({ path: `/v1/models/${model}:predict`, method: 'POST', body: FOUR });
        answers.push({ status: answer.statusCode, text: await answer.body.text() });
      } catch (error) {
        failures.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
        return;
      }
    }
  });
  return {
    answers,
    failures,
    ended: Promise.all(workers),
    stop: async () => {
      running = false;
      await Promise.all(workers);
      await pool.close();
    },
    until: async (what: string, holds: () => boolean) => {
      const deadline = performance.now() + 20_000;
      while (!holds()) {
        if (performance.now() > deadline) throw new Error(`Waited 20 s in vain: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

describe('server process', function () {
  // Each test starts a process with an engine in it, on a machine that may be busy.
  this.timeout(60_000);

  it('tells its ports, loads a model, becomes ready and serves metrics on the other port', async () => {
    await using folder = await temporaryFolder();
    await using server = startServer(configOf({ line: await writeLineModel(folder.path, 0.5) }));
    const { url, metricsUrl } = await server.listening();
    const ready = await server.phase('line', 'Ready');
    assert.equal(ready.format, 'LayersModel');
    assert.equal(ready.engine, 'JavaScript');
    assert.match(ready.digest ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal((await request(`${url}/v2/health/ready`)).statusCode, 200);
    assert.deepEqual(await predict(url, 'line'), { status: 200, body: { predictions: [[4]] } });
    const metrics = await (await request(`${metricsUrl}/metrics`)).body.text();
    assert.match(metrics, /modelservice_requests_total\{model="line",version="1",protocol="v1",code="200"\} 1/);
    assert.match(metrics, /modelservice_model_load_seconds\{model="line",version="1",phase="Loading"\} \d/);
    assert.equal((await request(`${url}/metrics`)).statusCode, 404);
  });

  it('answers a request of a wrong shape with 400 and goes on', async () => {
    await using folder = await temporaryFolder();
    await using server = startServer(configOf({ line: await writeLineModel(folder.path, 0.5) }));
    const { url } = await server.listening();
    await server.phase('line', 'Ready');
    const answer = await request(`${url}/v1/models/line:predict`, { method: 'POST', body: '{"instances":[[1,2]]}' });
    assert.equal(answer.statusCode, 400);
    assert.deepEqual(await answer.body.json(), {
      error: 'instances: is nested as [1,2], but input "dense_input" takes [-1,1], where -1 is any size',
    });
    assert.equal((await predict(url, 'line')).status, 200);
  });

  it('loses no request at SIGTERM: all are answered, new connections are refused, the exit code is 0', async () => {
    await using folder = await temporaryFolder();
    await using server = startServer(configOf({ line: await writeLineModel(folder.path, 0.5) }));
    const { url } = await server.listening();
    await server.phase('line', 'Ready');
    const clients = load(url, 'line', 8);
    await clients.until('200 answers', () => clients.answers.length >= 200);
    server.child.kill('SIGTERM');
    await clients.ended;
    assert.equal(await server.exited(), 0);
    assert.deepEqual(
      new Set(clients.answers.map(({ status, text }) => `${status} ${text}`)),
      new Set(['200 {"predictions":[[4]]}']),
    );
    assert.deepEqual(new Set(clients.failures), new Set(['ECONNREFUSED']));
    assert.equal(clients.failures.length, 8);
    await clients.stop();
  });

  it('replaces a model under load without a failed request', async () => {
    await using folder = await temporaryFolder();
    const before = await writeLineModel(join(folder.path, 'a'), 0.5);
    const after = await writeLineModel(join(folder.path, 'b'), 10);
    await using server = startServer(configOf({ line: before }));
    const { url } = await server.listening();
    await server.phase('line', 'Ready');
    const clients = load(url, 'line', 8);
    await clients.until('100 answers', () => clients.answers.length >= 100);
    server.reload(configOf({ line: after }));
    await server.phase('line', 'Ready');
    const swapped = clients.answers.length;
    await clients.until('500 answers of the new model', () => clients.answers.length >= swapped + 500);
    await clients.stop();
    assert.deepEqual(clients.failures, []);
    assert.deepEqual(new Set(clients.answers.map(({ status }) => status)), new Set([200]));
    const texts = clients.answers.map(({ text }) => text);
    assert.deepEqual(new Set(texts), new Set(['{"predictions":[[4]]}', '{"predictions":[[42]]}']));
    assert.equal(texts.at(-1), '{"predictions":[[42]]}');
  });

  it('keeps serving the old content when the new one cannot be loaded, and adds and removes models', async () => {
    await using folder = await temporaryFolder();
    const line = await writeLineModel(join(folder.path, 'a'), 0.5);
    const other = await writeLineModel(join(folder.path, 'b'), 10);
    await using server = startServer(configOf({ line }, { failFast: true }));
    const { url } = await server.listening();
    await server.phase('line', 'Ready');
    server.reload(configOf({ line: 'file:///nowhere/at/all', other }));
    const failed = await server.phase('line', 'Failed');
    assert.equal(failed.reason, 'ModelNotFound');
    await server.phase('other', 'Ready');
    assert.deepEqual(await predict(url, 'line'), { status: 200, body: { predictions: [[4]] } });
    assert.deepEqual(await predict(url, 'other'), { status: 200, body: { predictions: [[42]] } });
    server.reload(configOf({ other }));
    await server.phase('line', 'Removed');
    assert.equal((await predict(url, 'line')).status, 404);
  });

  it('refuses a list of models that is none, and goes on with the one it has', async () => {
    await using folder = await temporaryFolder();
    await using server = startServer(configOf({ line: await writeLineModel(folder.path, 0.5) }));
    const { url } = await server.listening();
    await server.phase('line', 'Ready');
    server.child.send({ type: 'reload', config: { version: 1, models: [{ name: 'x' }] } });
    server.reload(configOf({ line: await writeLineModel(join(folder.path, 'c'), 10) }));
    await server.phase('line', 'Ready');
    assert.ok(server.log().some(({ msg }) => msg === 'Refused a new list of models'));
    assert.deepEqual(await predict(url, 'line'), { status: 200, body: { predictions: [[42]] } });
  });

  it('ends with a typed reason in the termination message when a model cannot be served', async () => {
    await using folder = await temporaryFolder();
    const terminationMessagePath = join(folder.path, 'termination');
    await using server = startServer(configOf({ lost: 'file:///nowhere/at/all' }, { terminationMessagePath }));
    assert.equal(await server.exited(), 1);
    const termination = JSON.parse(await readFile(terminationMessagePath, 'utf8'));
    assert.equal(termination.reason, 'ModelNotFound');
    assert.equal(termination.model, 'lost');
    assert.match(termination.message, /nowhere\/at\/all/);
    assert.equal(server.log().at(-1)?.reason, 'ModelNotFound');
  });

  it('serves the other models where failFast is false, and answers 503 with the reason for the failed one', async () => {
    await using folder = await temporaryFolder();
    const line = await writeLineModel(folder.path, 0.5);
    await using server = startServer(configOf({ lost: 'file:///nowhere/at/all', line }, { failFast: false }));
    const { url } = await server.listening();
    await server.phase('lost', 'Failed');
    await server.phase('line', 'Ready');
    assert.equal((await predict(url, 'line')).status, 200);
    const { status, body } = await predict(url, 'lost');
    assert.equal(status, 503);
    assert.match(JSON.stringify(body), /Model \\"lost\\" cannot be served: ModelNotFound: .*nowhere\/at\/all/);
  });

  it('ends with PortInUse and the setting to change when its port is taken', async () => {
    await using folder = await temporaryFolder();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const terminationMessagePath = join(folder.path, 'termination');
    await using server = startServer(configOf({}, { port, terminationMessagePath }));
    assert.equal(await server.exited(), 1);
    taken.close();
    assert.deepEqual(JSON.parse(await readFile(terminationMessagePath, 'utf8')), {
      reason: 'PortInUse',
      message: `Port ${port} of 127.0.0.1 is taken by another program: stop that program, or set server.port to another port (0 takes a free one)`,
    });
  });

  it('ends with InvalidConfig and the field when the configuration is wrong', async () => {
    await using server = startServer({ version: 1, models: [{ name: '-', uri: 'file:///a' }] });
    assert.equal(await server.exited(), 1);
    const last = server.log().at(-1);
    assert.equal(last?.reason, 'InvalidConfig');
    assert.match(String(last?.msg), /models\[0\]\.name/);
    assert.equal(JSON.stringify(last).split('models[0].name').length, 2, 'it is said once');
  });

  it('ends at once at SIGTERM while a model is still being fetched', async () => {
    await using folder = await temporaryFolder();
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const asked = once(silent, 'connection');
    const { port } = silent.address() as AddressInfo;
    const uri = `http://127.0.0.1:${port}/model/`;
    await using server = startServer(configOf({ far: uri }, { cacheDir: folder.path }));
    const { url } = await server.listening();
    const [connection] = (await asked) as [Socket];
    connection.on('error', () => undefined);
    const waiting = await predict(url, 'far');
    assert.deepEqual(waiting, {
      status: 503,
      body: { error: 'Model "far" is not ready yet: it is in phase Fetching' },
    });
    server.child.kill('SIGTERM');
    assert.equal(await server.exited(), 0);
    connection.destroy();
    silent.close();
  });

  it('ends with a reason and a log line when something fails that nobody foresaw', async () => {
    await using folder = await temporaryFolder();
    const terminationMessagePath = join(folder.path, 'termination');
    const fault = 'process.on("message", ({ type }) => { if (type === "fault") throw new Error("Out of luck"); });';
    const config = configOf({}, { terminationMessagePath });
    await using server = startServer(config, [], ['--import', `data:text/javascript,${encodeURIComponent(fault)}`]);
    await server.listening();
    server.child.send({ type: 'fault' });
    assert.equal(await server.exited(), 1);
    assert.deepEqual(JSON.parse(await readFile(terminationMessagePath, 'utf8')), {
      reason: 'InternalError',
      message: 'Out of luck',
    });
    const last = server.log().at(-1);
    assert.equal(last?.msg, 'Ended by an error that nobody foresaw');
    assert.match(JSON.stringify(last?.err), /"message":"Out of luck"/);
  });

  it('ends when the process that started it is gone', async () => {
    await using server = startServer(configOf({}));
    await server.listening();
    server.child.disconnect();
    assert.equal(await server.exited(), 0);
  });

  it('shows how it is used when an argument is wrong', async () => {
    await using server = startServer(undefined, ['--colour']);
    assert.equal(await server.exited(), 2);
    assert.match(server.stderr(), /Unknown option '--colour'[\s\S]*Usage: modelservice-server/);
  });
});
