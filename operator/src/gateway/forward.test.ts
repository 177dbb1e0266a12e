import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'mocha';
import { startPod, startTestGateway, type TestGateway } from './test-support.ts';

/** A request through the gateway whose body a test writes. */
function open(gateway: TestGateway, options: object) {
  const outgoing = request({ host: '127.0.0.1', port: gateway.port, agent: false, ...options });
  const answered = once(outgoing, 'response').then(([answer]) => answer as IncomingMessage);
  answered.catch(() => undefined);
  return { outgoing, answered };
}

/** What goes over the wire, for clients that Node is none of. */
async function raw(gateway: TestGateway, bytes: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(bytes);
  return await text(socket);
}

describe('a request that the gateway forwards', () => {
  let gateway: TestGateway & AsyncDisposable;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => await gateway[Symbol.asyncDispose]());

  /** Runs a test with one pod that answers so. */
  async function withPod(answer: RequestListener, test: () => Promise<void>): Promise<void> {
    await using backend = await startPod(`pod-${Math.random()}`, answer);
    gateway.setPods([backend.pod]);
    try {
      await test();
    } finally {
      gateway.setPods([]);
    }
  }

  it('reaches the pod as it was sent, and comes back as it was answered', async () => {
    let seen: IncomingMessage | undefined;
    await withPod(
      (incoming, response) => {
        seen = incoming;
        void text(incoming).then((body) => {
          response.writeHead(418, 'Teapot', ['X-Many', '1', 'X-Many', '2', 'Content-Length', String(body.length)]);
          response.end(body);
        });
      },
      async () => {
        const { outgoing, answered } = open(gateway, {
          method: 'POST',
          path: '/v2/models/m/infer?x=%20y',
          headers: { host: 'digits.n.svc', 'x-mine': 'yes', 'content-length': 5 },
        });
        outgoing.end('hello');
        const answer = await answered;
        assert.equal(await text(answer), 'hello');
        assert.deepEqual([answer.statusCode, answer.statusMessage], [418, 'Teapot']);
        assert.deepEqual(answer.headersDistinct['x-many'], ['1', '2']);
        assert.deepEqual(answer.headersDistinct['content-length'], ['5']);
        assert.equal(answer.headers.connection, 'close');
        assert.equal(seen?.url, '/v2/models/m/infer?x=%20y');
        assert.equal(seen?.method, 'POST');
        assert.partialDeepStrictEqual(seen?.headers, {
          host: 'digits.n.svc',
          'x-mine': 'yes',
          'content-length': '5',
          'x-forwarded-for': '127.0.0.1',
          via: '1.1 modelservice-gateway',
        });
      },
    );
  });

  it('streams both bodies in chunks, with what follows them, neither side waiting for the end', async () => {
    await withPod(
      (incoming, response) => {
        response.writeHead(200, { trailer: 'X-Sum' });
        incoming.on('data', (chunk: Buffer) => response.write(`<${chunk.toString()}>`));
        incoming.on('end', () => {
          response.addTrailers({ 'X-Sum': `${incoming.trailers['x-in']} and out` });
          response.end();
        });
      },
      async () => {
        const headers = { 'transfer-encoding': 'chunked', trailer: 'X-In' };
        const { outgoing, answered } = open(gateway, { method: 'POST', headers });
        outgoing.write('one');
        const answer = await answered;
        assert.equal(String((await once(answer, 'data'))[0]), '<one>');
        outgoing.write('two');
        assert.equal(String((await once(answer, 'data'))[0]), '<two>');
        outgoing.addTrailers({ 'X-In': 'in' });
        outgoing.end();
        await once(answer, 'end');
        assert.equal(answer.trailers['x-sum'], 'in and out');
      },
    );
  });

  it('is not read faster than the pod reads', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const reading = Promise.withResolvers<IncomingMessage>();
    await withPod(
      (incoming, response) => {
        incoming.pause();
        reading.resolve(incoming);
        incoming.on('end', () => response.end('read'));
      },
      async () => {
        const total = 64 * 1024 * 1024;
        const headers = { 'content-length': total };
        const { outgoing, answered } = open(gateway, { method: 'POST', headers });
        let written = 0;
        while (written < total && outgoing.write(chunk)) written += chunk.length;
        const incoming = await reading.promise;
        for (let more = true; more && written < total; ) {
          // Whoever does not drain within a moment is held up by a reader who does not read.
          const drained = once(outgoing, 'drain').then(() => true);
          more = await Promise.race([drained, new Promise<false>((resolve) => setTimeout(resolve, 300, false))]);
          while (more && written < total && outgoing.write(chunk)) written += chunk.length;
        }
        assert.ok(written < total / 2, `${written} bytes went out without a reader`);
        incoming.resume();
        const rest = Buffer.alloc(total - written - chunk.length, 'x');
        outgoing.end(rest);
        assert.equal(await text(await answered), 'read');
      },
    );
  });

  it('carries many megabytes unchanged', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 'abcdefg');
    const sum = createHash('sha256').update(body).digest('hex');
    await withPod(
      (incoming, response) => {
        response.writeHead(200, { 'content-length': body.length });
        incoming.pipe(response);
      },
      async () => {
        const { outgoing, answered } = open(gateway, { method: 'PUT', headers: { 'content-length': body.length } });
        outgoing.end(body);
        const hash = createHash('sha256');
        for await (const chunk of (await answered) as AsyncIterable<Buffer>) hash.update(chunk);
        assert.equal(hash.digest('hex'), sum);
      },
    );
  });

  it('answers HEAD without a body and with its length', async () => {
    await withPod(
      (_, response) => response.writeHead(200, { 'content-length': 1234 }).end(),
      async () => {
        const { outgoing, answered } = open(gateway, { method: 'HEAD' });
        outgoing.end();
        const answer = await answered;
        assert.equal(answer.headers['content-length'], '1234');
        assert.equal(await text(answer), '');
      },
    );
  });

  it('speaks to a client of HTTP/1.0, which gets its answer without chunks', async () => {
    await withPod(
      (incoming, response) => {
        response.write(`host ${incoming.headers.host === undefined ? 'missing' : 'given'}, `);
        response.end('done');
      },
      async () => {
        const answer = await raw(gateway, 'GET / HTTP/1.0\r\n\r\n');
        assert.match(answer, /\r\n\r\nhost given, done$/);
        assert.doesNotMatch(answer, /transfer-encoding/i);
      },
    );
  });

  it('answers one request on each connection', async () => {
    await withPod(
      (_, response) => response.end('once'),
      async () => {
        const one = 'GET / HTTP/1.1\r\nHost: d\r\n\r\n';
        const answer = await raw(gateway, `${one}${one}`);
        assert.equal(answer.match(/once/g)?.length, 1);
      },
    );
  });

  it('has its body sent only when the pod wants it', async () => {
    await withPod(
      (incoming, response) => void text(incoming).then((body) => response.end(body)),
      async () => {
        const { outgoing, answered } = open(gateway, {
          method: 'POST',
          headers: { expect: '100-continue', 'content-length': 4 },
        });
        outgoing.flushHeaders();
        await once(outgoing, 'continue');
        outgoing.end('body');
        assert.equal(await text(await answered), 'body');
      },
    );
  });

  it('gets the pod’s refusal in place of its word to go on', async () => {
    await using backend = await startPod('strict', () => undefined);
    backend.server.on('checkContinue', (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(413, { connection: 'close' }).end('too large');
    });
    gateway.setPods([backend.pod]);
    const headers = { expect: '100-continue', 'content-length': 1e9 };
    const { outgoing, answered } = open(gateway, { method: 'POST', headers });
    outgoing.on('error', () => undefined);
    outgoing.flushHeaders();
    const answer = await answered;
    assert.deepEqual([answer.statusCode, await text(answer)], [413, 'too large']);
    gateway.setPods([]);
  });

  it('is cut off at the pod when the client leaves', async () => {
    const arrived = Promise.withResolvers<IncomingMessage>();
    await withPod(
      (incoming) => arrived.resolve(incoming),
      async () => {
        const { outgoing, answered } = open(gateway, { method: 'GET' });
        outgoing.end();
        const closed = once((await arrived.promise).socket, 'close');
        outgoing.destroy();
        await closed;
        await assert.rejects(answered);
      },
    );
  });

  it('is cut off at the client when the pod dies in the middle of its answer', async () => {
    await withPod(
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.destroy());
      },
      async () => {
        const { outgoing, answered } = open(gateway, { method: 'GET' });
        outgoing.end();
        await assert.rejects(text(await answered), /aborted/);
      },
    );
  });

  it('gets an answer that the pod gave without reading all of the body, which is taken until its end', async () => {
    await withPod(
      (incoming, response) => {
        // Reads on for a moment, as servers do that want their answer to arrive.
        response.writeHead(413, { 'content-length': 9 }).write('too large');
        incoming.resume().on('end', () => response.end());
      },
      async () => {
        const length = 8 * 1024 * 1024;
        const head = `POST / HTTP/1.1\r\nHost: d\r\nContent-Length: ${length}\r\n\r\n`;
        assert.match(await raw(gateway, head + 'x'.repeat(length)), /^HTTP\/1\.1 413 .*too large$/s);
      },
    );
  });

  it('gets 502 where the pod changes to another protocol, which nobody asked for', async () => {
    await withPod(
      (incoming) => incoming.socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      async () => {
        assert.match(await raw(gateway, 'GET / HTTP/1.1\r\nHost: d\r\n\r\n'), /^HTTP\/1\.1 502 /);
      },
    );
  });

  it('gets 502 with a reason when the pod dies before it answers, and is not sent to another one', async () => {
    let count = 0;
    await withPod(
      (incoming) => {
        count++;
        incoming.socket.destroy();
      },
      async () => {
        const { outgoing, answered } = open(gateway, { method: 'POST' });
        outgoing.end('x');
        const answer = await answered;
        assert.equal(answer.statusCode, 502);
        assert.match(await text(answer), /^\{"error":"the pod that got this request ended the connection/);
        assert.equal(answer.headers.connection, 'close');
        assert.equal(count, 1);
      },
    );
  });
});
