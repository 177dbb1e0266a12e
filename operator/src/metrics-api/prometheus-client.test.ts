import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'mocha';
import { PrometheusClient } from './prometheus-client.ts';

const EMPTY = { status: 'success', data: { resultType: 'vector', result: [] } };

/** A server that answers each call so; what it was asked is told. */
async function serve(status: number, body: unknown, files: Readonly<Record<string, string>> = {}) {
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      asked.push({ request, body: sent });
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-client-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const client = await PrometheusClient.create({
    url: `http://127.0.0.1:${port}/prefix/`,
    credentialsDir: folder,
    connections: 1,
  });
  return {
    asked,
    folder,
    ask: (expression = 'up') => client.query(expression, new AbortController().signal),
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}

describe('the client of Prometheus', () => {
  it('asks below the path of the URL, with the whole expression in the body', async () => {
    await using prometheus = await serve(200, EMPTY);
    assert.deepEqual(await prometheus.ask('up{a="b&c=+ü"}'), []);
    const [call] = prometheus.asked;
    assert.equal(call?.request.method, 'POST');
    assert.equal(call?.request.url, '/prefix/api/v1/query');
    assert.equal(new URLSearchParams(call?.body).get('query'), 'up{a="b&c=+ü"}');
    assert.equal(call?.request.headers.authorization, undefined);
  });

  it('shows the token, as it is at the moment', async () => {
    await using prometheus = await serve(200, EMPTY, { token: 'first\n' });
    await prometheus.ask();
    await writeFile(join(prometheus.folder, 'token'), 'second');
    await prometheus.ask();
    const shown = prometheus.asked.map(({ request }) => request.headers.authorization);
    assert.deepEqual(shown, ['Bearer first', 'Bearer second']);
  });

  it('shows user and password where there is no token', async () => {
    await using prometheus = await serve(200, EMPTY, { username: 'me', password: 'secret\n' });
    await prometheus.ask();
    const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    assert.equal(prometheus.asked[0]?.request.headers.authorization, expected);
  });

  for (const { title, status, body, expected } of [
    {
      title: 'an error of Prometheus',
      status: 400,
      body: { status: 'error', error: 'parse error' },
      expected: /answered 400: parse error$/,
    },
    { title: 'no credentials', status: 401, body: '', expected: /give metrics\.prometheusSecret credentials/ },
    { title: 'another page', status: 200, body: '<html>', expected: /is metrics\.prometheusUrl the address/ },
    { title: 'another form of data', status: 200, body: { status: 'success', data: {} }, expected: /without a vector/ },
    { title: 'an address that moved', status: 302, body: '', expected: /answered 302/ },
  ]) {
    it(`says what is wrong with ${title}`, async () => {
      await using prometheus = await serve(status, body);
      await assert.rejects(prometheus.ask(), expected);
    });
  }
});
