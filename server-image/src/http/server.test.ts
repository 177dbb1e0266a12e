import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { ask, halfPlusTwo, type Started, served, start, tcp } from './test-support.ts';

const MODELS = [served('half', halfPlusTwo(), { version: '3' }), served('late', undefined)];
const X = { name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] };

describe('HTTP server', () => {
  let server: Started;
  before(async () => {
    server = await start(MODELS, { maxRequestBytes: 4096 });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  for (const path of ['/v2/models/half/infer', '/v2/models/half/versions/3/infer', '/v2/models/h%61lf/infer?trace=1']) {
    it(`infers at ${path}`, async () => {
      const answer = await ask(server, path, { id: '7', inputs: [X] });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.deepEqual(JSON.parse(answer.text), {
        model_name: 'half',
        model_version: '3',
        id: '7',
        outputs: [{ name: 'y', datatype: 'FP32', shape: [2], data: [2.5, 3] }],
      });
    });
  }

  it('infers where the request names the whole URL, as clients of a proxy do', async () => {
    const client = await tcp(server.port);
    const body = JSON.stringify({ inputs: [X] });
    const head = `POST http://half.example/v2/models/half/infer HTTP/1.1\r\nHost: half.example\r\nConnection: close`;
    client.socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    assert.match(await client.closed(), /^HTTP\/1\.1 200 OK.*"data":\[2\.5,3\]/s);
  });

  for (const path of ['/v1/models/half:predict', '/v1/models/half/versions/3:predict', '/v1/models/half%3Apredict']) {
    it(`predicts at ${path}`, async () => {
      const rows = await ask(server, path, { instances: [1, 2] });
      assert.deepEqual([rows.status, rows.text], [200, '{"predictions":[2.5,3]}']);
      const columns = await ask(server, path, { inputs: { x: [1, 2] } });
      assert.deepEqual([columns.status, columns.text], [200, '{"outputs":[2.5,3]}']);
    });
  }

  it('reads a body as JSON whatever its content type, as curl -d sends it', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await ask(server, '/v2/models/half/infer', { inputs: [X] }, { headers })).status, 200);
  });

  const large = JSON.stringify({ inputs: [{ ...X, shape: [3000], data: Array(3000).fill(1) }] });
  const refused: readonly {
    readonly because: string;
    readonly path: string;
    readonly body?: unknown;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly status: number;
    readonly error: string;
    readonly with?: Readonly<Record<string, string>>;
  }[] = [
    {
      because: 'an unknown model',
      path: '/v2/models/nix/infer',
      body: {},
      status: 404,
      error: 'Model "nix" is not served here; this server has "half", "late"',
    },
    {
      because: 'an unknown model, TensorFlow Serving',
      path: '/v1/models/nix:predict',
      body: {},
      status: 404,
      error: 'Model "nix" is not served here; this server has "half", "late"',
    },
    {
      because: 'an unknown version',
      path: '/v2/models/half/versions/4/infer',
      body: {},
      status: 404,
      error: 'Model "half" is served in version 3, not in version "4"',
    },
    {
      because: 'a model that still loads',
      path: '/v2/models/late/infer',
      body: {},
      status: 503,
      error: 'Model "late" is not ready yet: it is in phase Loading',
      with: { 'retry-after': '1' },
    },
    {
      because: 'GET of infer',
      path: '/v2/models/half/infer',
      status: 405,
      error: 'GET is not allowed here: send a POST with a JSON body',
      with: { allow: 'POST' },
    },
    {
      because: 'GET of predict',
      path: '/v1/models/half:predict',
      status: 405,
      error: 'GET is not allowed here: send a POST with a JSON body',
      with: { allow: 'POST' },
    },
    {
      because: 'POST of metadata',
      path: '/v2/models/half',
      body: {},
      status: 405,
      error: 'POST is not allowed at /v2/models/half: use GET',
      with: { allow: 'GET, HEAD' },
    },
    {
      because: 'an unknown path',
      path: '/v3',
      status: 404,
      error: 'Nothing is served at /v3: GET / lists the models and their addresses',
    },
    {
      because: 'classify',
      path: '/v1/models/half:classify',
      body: {},
      status: 501,
      error: 'classify and regress are not served: use :predict',
    },
    {
      because: 'a broken path',
      path: '/v2/models/%zz/infer',
      body: {},
      status: 400,
      error: 'The path holds a broken percent sequence: "%zz"',
    },
    {
      because: 'a broken path elsewhere',
      path: '/v2/models/%zz',
      status: 400,
      error: 'The path holds a broken percent sequence',
    },
    {
      because: 'no body',
      path: '/v2/models/half/infer',
      body: '',
      status: 400,
      error: 'body: is empty, but JSON is needed',
    },
    {
      because: 'broken JSON',
      path: '/v2/models/half/infer',
      body: '{"inputs":[NaN]}',
      status: 400,
      error: 'body: is not valid JSON: unexpected "NaN" at line 1, column 12 (position 11)',
    },
    {
      because: 'a wrong shape',
      path: '/v2/models/half/infer',
      body: { inputs: [{ ...X, shape: [2, 1] }] },
      status: 400,
      error: 'inputs[0].shape: is [2,1], but input "x" takes [-1], where -1 is any size',
    },
    {
      because: 'a body beyond the limit',
      path: '/v2/models/half/infer',
      body: large,
      status: 413,
      error:
        'The body is larger than this server takes, 4096 bytes: send fewer rows at once, or raise server.maxRequestBytes',
    },
    {
      because: 'a compressed body',
      path: '/v2/models/half/infer',
      body: '{}',
      headers: { 'content-encoding': 'gzip' },
      status: 415,
      error: 'Content-Encoding "gzip" is not supported: send the body uncompressed',
      with: { 'accept-encoding': 'identity' },
    },
    {
      because: 'binary tensors',
      path: '/v2/models/half/infer',
      body: '{}',
      headers: { 'inference-header-content-length': '2' },
      status: 415,
      error: 'The binary tensor extension is not served: send the tensors as JSON in "data"',
    },
    {
      because: 'values on which the engine fails',
      path: '/v1/models/half:predict',
      body: { instances: [666] },
      status: 500,
      error: 'The engine reported an error',
    },
  ];
  for (const { because, path, body, method, headers, status, error, with: expected } of refused) {
    it(`answers ${status} to ${because}`, async () => {
      const answer = await ask(server, path, body, { ...(method && { method }), ...(headers && { headers }) });
      assert.deepEqual([answer.status, JSON.parse(answer.text)], [status, { error }]);
      for (const [name, value] of Object.entries(expected ?? {})) assert.equal(answer.headers[name], value);
    });
  }

  it('counts requests by model and code, and never by a name that a client made up', async () => {
    await using fresh = await start([served('half', halfPlusTwo())]);
    await ask(fresh, '/v2/models/half/infer', { inputs: [X] });
    await ask(fresh, '/v1/models/half:predict', { instances: [1] });
    await ask(fresh, '/v2/models/half/infer', {});
    await ask(fresh, '/v2/models/invented/infer', {});
    const text = await fresh.telemetry.registry.metrics();
    const lines = text.split('\n').filter((line) => /^modelservice_requests_(in_flight|total)/.test(line));
    assert.deepEqual(lines.sort(), [
      'modelservice_requests_in_flight{model="half",version="1"} 0',
      'modelservice_requests_total{model="",version="",protocol="v2",code="404"} 1',
      'modelservice_requests_total{model="half",version="1",protocol="v1",code="200"} 1',
      'modelservice_requests_total{model="half",version="1",protocol="v2",code="200"} 1',
      'modelservice_requests_total{model="half",version="1",protocol="v2",code="400"} 1',
    ]);
    assert.doesNotMatch(text, /invented/);
    assert.match(
      text,
      /modelservice_model_info\{model="half",version="1",digest="sha256:0+",format="GraphModel",engine="JavaScript"\} 1/,
    );
    assert.match(text, /modelservice_last_request_timestamp_seconds\{model="half",version="1"\} 1\d{9}/);
  });
});
