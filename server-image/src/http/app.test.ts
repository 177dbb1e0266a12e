import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { ask, halfPlusTwo, type Started, served, start } from './test-support.ts';

describe('HTTP server, health and metadata', () => {
  let server: Started;
  before(async () => {
    server = await start([served('half', halfPlusTwo(), { version: '3' }), served('late', undefined)]);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('answers 503 with the reason for a model that failed', async () => {
    const failure = { reason: 'DigestMismatch', message: 'The content is another' };
    await using failed = await start([served('bad', undefined, { phase: 'Failed', failure })]);
    const says = { error: 'Model "bad" cannot be served: DigestMismatch: The content is another' };
    const infer = await ask(failed, '/v2/models/bad/infer', {});
    assert.deepEqual([infer.status, JSON.parse(infer.text)], [503, says]);
    const ready = await ask(failed, '/v2/health/ready');
    assert.deepEqual([ready.status, JSON.parse(ready.text)], [503, says]);
    assert.deepEqual(JSON.parse((await ask(failed, '/v1/models/bad')).text), {
      model_version_status: [
        {
          version: '1',
          state: 'END',
          status: { error_code: 'UNKNOWN', error_message: 'DigestMismatch: The content is another' },
        },
      ],
    });
  });

  it('is live at once and ready when every model is', async () => {
    assert.equal((await ask(server, '/v2/health/live')).status, 200);
    const waiting = await ask(server, '/v2/health/ready');
    assert.deepEqual([waiting.status, waiting.headers['retry-after']], [503, '1']);
    await using ready = await start([served('half', halfPlusTwo())]);
    assert.deepEqual(await ask(ready, '/v2/health/ready').then(({ status, text }) => ({ status, text })), {
      status: 200,
      text: '',
    });
  });

  it('tells of each model whether it is ready', async () => {
    assert.equal((await ask(server, '/v2/models/half/ready')).status, 200);
    assert.equal((await ask(server, '/v2/models/half/versions/3/ready')).status, 200);
    assert.equal((await ask(server, '/v2/models/late/ready')).status, 503);
    assert.equal((await ask(server, '/v2/models/nix/ready')).status, 404);
  });

  it('describes the server and a model', async () => {
    assert.deepEqual(JSON.parse((await ask(server, '/v2')).text), {
      name: 'modelservice',
      version: '0.1.0',
      extensions: [],
    });
    const metadata = JSON.parse((await ask(server, '/v2/models/half')).text);
    assert.deepEqual(metadata, {
      name: 'half',
      versions: ['3'],
      platform: 'tfjs_graph_model',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
      parameters: {
        digest: `sha256:${'0'.repeat(64)}`,
        format: 'GraphModel',
        engine: 'JavaScript',
        uri: 'file:///half',
      },
    });
    assert.deepEqual(JSON.parse((await ask(server, '/v2/models/half/versions/3')).text), metadata);
  });

  it('gives status and signature as TensorFlow Serving does', async () => {
    assert.deepEqual(JSON.parse((await ask(server, '/v1/models/half/versions/3')).text), {
      model_version_status: [{ version: '3', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
    });
    const metadata = JSON.parse((await ask(server, '/v1/models/half/metadata')).text);
    assert.deepEqual(metadata.model_spec, { name: 'half', signature_name: '', version: '3' });
    assert.deepEqual(metadata.metadata.signature_def.signature_def.serving_default.inputs, {
      x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false }, name: 'x' },
    });
  });

  it('shows a person the models and a command that works', async () => {
    const page = (await ask(server, '/')).text;
    assert.match(page, /^half \(version 3\): ready, GraphModel on JavaScript$/m);
    assert.match(page, /^late \(version 1\): Loading$/m);
    const [, url = '', body = ''] = /curl http:\/\/[^/]+(\S+) -d '(.*)'/.exec(page) ?? [];
    assert.equal((await ask(server, url, body)).status, 200);
  });
});
