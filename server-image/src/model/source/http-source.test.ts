import { strict as assert } from 'node:assert';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ModelFailure } from '../../failures.ts';
import { readModelContent } from '../model-content.ts';
import { parseModelUri } from '../model-uri.ts';
import { loopbackServer } from '../test-support/model-server.ts';
import { type Files, halfPlusTwoFiles, temporaryFolder } from '../test-support/tiny-models.ts';
import { downloadDispatcher } from './download.ts';
import { httpSource } from './http-source.ts';
import { ModelStore } from './model-store.ts';

const never = new AbortController().signal;

describe('the http source', () => {
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  let waits: number[];
  const dispatcher = downloadDispatcher();

  beforeEach(async () => {
    cache = await temporaryFolder();
    waits = [];
  });
  afterEach(() => cache[Symbol.asyncDispose]());

  async function fetch(
    uri: string,
    digest?: string,
    onProgress: (done: number, total: number | undefined) => void = () => undefined,
  ) {
    const source = httpSource(new ModelStore(cache.path), {
      dispatcher,
      sleep: async (ms) => void waits.push(ms),
    });
    const location = await source.fetch(parseModelUri(uri), { digest, onProgress, signal: never });
    return { location, digest: (await readModelContent(location, never)).digest };
  }

  it('fetches a folder with everything in it, and tells how far it is', async () => {
    const files: Files = { ...halfPlusTwoFiles(), 'warmup.json': '{"inputs":[]}' };
    await using host = await loopbackServer(serve(files));
    const steps: [number, number | undefined][] = [];
    const { location } = await fetch(`${host.url}/models/half/`, undefined, (...step) => steps.push(step));
    for (const [path, content] of Object.entries(files)) {
      assert.deepEqual(await readFile(join(location.directory, path)), Buffer.from(content), path);
    }
    const size = Buffer.byteLength(files['model.json'] ?? '') + 8;
    assert.equal(steps.at(-1)?.[1], size);
    assert.deepEqual(host.requests.toSorted(), [
      'GET /models/half/model.json',
      'GET /models/half/shards/weights.bin',
      'GET /models/half/task.json',
      'GET /models/half/warmup.json',
    ]);
  });

  it('fetches a named file and sends the query with its weights', async () => {
    await using host = await loopbackServer(
      serve({ ...halfPlusTwoFiles(), 'half.json': halfPlusTwoFiles()['model.json'] ?? '' }),
    );
    const named = await fetch(`${host.url}/models/half/half.json?key=a%2Fb`);
    assert.equal(named.digest, (await fetch(`${host.url}/models/half`)).digest);
    assert.ok(host.requests.includes('GET /models/half/shards/weights.bin?key=a%2Fb'), host.requests.join('\n'));
  });

  it('asks for nothing when the content of the digest is there', async () => {
    await using host = await loopbackServer(serve(halfPlusTwoFiles()));
    const first = await fetch(`${host.url}/m`);
    host.requests.length = 0;
    assert.deepEqual(await fetch(`${host.url}/elsewhere`, first.digest), first);
    assert.deepEqual(host.requests, []);
  });

  it('asks without a digest whether files changed, and fetches those that did', async () => {
    const files: Record<string, string | Uint8Array> = { ...halfPlusTwoFiles() };
    const statuses: string[] = [];
    await using host = await loopbackServer((request, response) => {
      response.on('finish', () => statuses.push(`${response.statusCode} ${request.url}`));
      serve(files)(request, response);
    });
    const first = await fetch(`${host.url}/m`);
    statuses.length = 0;
    assert.deepEqual(await fetch(`${host.url}/m`), first);
    assert.deepEqual(
      statuses.filter((status) => status.startsWith('200')),
      [],
    );
    files['shards/weights.bin'] = new Uint8Array(new Float32Array([0.5, 3]).buffer);
    const second = await fetch(`${host.url}/m`);
    assert.notEqual(second.digest, first.digest);
    assert.deepEqual(
      statuses.filter((status) => status.startsWith('200')),
      ['200 /m/shards/weights.bin'],
    );
  });

  it('fetches a model again that was damaged on disk', async () => {
    await using host = await loopbackServer(serve(halfPlusTwoFiles()));
    const first = await fetch(`${host.url}/m`);
    await writeFile(join(first.location.directory, 'shards/weights.bin'), new Uint8Array(8));
    assert.deepEqual(await fetch(`${host.url}/m`, first.digest), first);
  });

  it('tries again after a passing failure', async () => {
    let failures = 2;
    await using host = await loopbackServer((request, response) => {
      if (failures === 0) serve(halfPlusTwoFiles())(request, response);
      else if (failures-- === 2) response.writeHead(503).end();
      else request.socket.destroy();
    });
    await fetch(`${host.url}/m`);
    assert.deepEqual(waits, [500, 1000]);
  });

  it('tries a body again that was cut off, from its start', async () => {
    let cut = false;
    await using host = await loopbackServer((request, response) => {
      if (cut || !request.url?.endsWith('.bin')) return serve(halfPlusTwoFiles())(request, response);
      cut = true;
      response.writeHead(200, { 'content-length': 8 });
      response.write(new Uint8Array(4), () => request.socket.destroy());
    });
    await fetch(`${host.url}/m`);
    assert.deepEqual(waits, [500]);
  });

  it('takes a page in place of warmup.json, or a refusal, for "not there"', async () => {
    await using host = await loopbackServer((request, response) => {
      if (request.url?.endsWith('task.json')) response.writeHead(403).end();
      else if (request.url?.endsWith('warmup.json'))
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>');
      else serve(halfPlusTwoFiles())(request, response);
    });
    const { location } = await fetch(`${host.url}/m`);
    assert.deepEqual((await readModelContent(location, never)).paths, ['model.json', 'shards/weights.bin']);
  });

  for (const [encoding, encode] of Object.entries({ gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync })) {
    it(`decodes files that a host keeps in ${encoding} and sends so to everybody`, async () => {
      await using plain = await loopbackServer(serve(halfPlusTwoFiles()));
      const packed = Object.entries(halfPlusTwoFiles()).map(([path, content]) => [path, encode(content)]);
      await using host = await loopbackServer((request, response) => {
        assert.equal(request.headers['accept-encoding'], 'identity');
        response.setHeader('content-encoding', encoding);
        serve(Object.fromEntries(packed))(request, response);
      });
      assert.equal((await fetch(`${host.url}/m`)).digest, (await fetch(`${plain.url}/m`)).digest);
    });
  }

  it('lets two at a time fetch into one cache', async () => {
    await using host = await loopbackServer(serve(halfPlusTwoFiles()));
    const [one, two] = await Promise.all([fetch(`${host.url}/m`), fetch(`${host.url}/m`)]);
    assert.deepEqual(one, two);
  });

  const json = String(halfPlusTwoFiles()['model.json']);
  const refusals: {
    because: string;
    answer: (url: string, response: ServerResponse) => void;
    reason: string;
    message: RegExp;
  }[] = [
    {
      because: 'there is no model',
      answer: (_, r) => r.writeHead(404).end(),
      reason: 'ModelNotFound',
      message: /no http:\/\/127\.0\.0\.1:\d+\/m\/model\.json$/,
    },
    {
      because: 'the host refuses',
      answer: (_, r) => r.writeHead(401).end(),
      reason: 'FetchFailed',
      message: /answered 401$/,
    },
    {
      because: 'the host is down',
      answer: (_, r) => r.writeHead(500).end(),
      reason: 'FetchFailed',
      message: /in 4 attempts: the host answered 500$/,
    },
    {
      because: 'a weights file is missing',
      answer: (url, r) => (url.endsWith('model.json') ? r.end(json) : r.writeHead(404).end()),
      reason: 'ModelNotFound',
      message: /names the weights file shards\/weights\.bin: no http/,
    },
    {
      because: 'the answer is a page',
      answer: (_, r) => r.end('<!doctype html>'),
      reason: 'InvalidModel',
      message: /is not valid JSON/,
    },
    {
      because: 'the redirects go round',
      answer: (url, r) => r.writeHead(302, { location: url }).end(),
      reason: 'FetchFailed',
      message: /Could not fetch http\S+: its redirects lead nowhere: Redirect loop detected$/,
    },
    {
      because: 'a redirect leads to another scheme',
      answer: (_, r) => r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      reason: 'FetchFailed',
      message: /Could not fetch http\S+: its redirects lead nowhere: Invalid URL protocol/,
    },
    {
      because: 'the answer is encoded in an unknown way',
      answer: (_, r) => r.writeHead(200, { 'content-encoding': 'compress' }).end('x'),
      reason: 'FetchFailed',
      message: /has the content encoding "compress", which this server does not read: have the host send it as it is$/,
    },
    {
      because: 'the answer is damaged in its encoding',
      answer: (_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
      reason: 'FetchFailed',
      message: /in 4 attempts: incorrect header check$/,
    },
    {
      because: 'a path leads out of the folder',
      answer: (_, r) => r.end(json.replace('shards/weights.bin', '../weights.bin')),
      reason: 'InvalidModel',
      message: /names the file "\.\.\/weights\.bin", which is not plain/,
    },
  ];
  for (const { because, answer, reason, message } of refusals) {
    it(`fails with ${reason}: ${because}`, async () => {
      await using host = await loopbackServer((request, response) => answer(request.url ?? '', response));
      await assert.rejects(fetch(`${host.url}/m`), (error) => {
        assert.ok(error instanceof ModelFailure);
        assert.equal(error.reason, reason);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

/** Serves files below any folder, with an ETag. */
function serve(files: Files) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? '', 'http://host').pathname;
    const name = Object.keys(files).find((file) => path.endsWith(`/${file}`));
    const content = name === undefined ? undefined : files[name];
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${Buffer.from(content).toString('base64url').slice(-16)}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag, 'content-length': Buffer.byteLength(content) }).end(content);
  };
}
