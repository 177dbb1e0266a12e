import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay, setImmediate as nextLoop } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { eventually, halfPlusTwo, served, start, tcp } from './test-support.ts';
import { blockedWhile, threadClient } from './test-thread-client.ts';

const BODY = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}';

function head(length: number, more = ''): string {
  return `POST /v2/models/half/infer HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`;
}

const REQUEST = head(BODY.length) + BODY;

describe('HTTP connections', () => {
  it('answers pipelined requests in their order', async () => {
    await using server = await start([served('half', halfPlusTwo())]);
    const client = await tcp(server.port);
    const second = BODY.replace('[1]}', '[3]}').replace('"data":[1]', '"data":[3]');
    client.socket.write(REQUEST + head(second.length) + second);
    const text = await client.until(/"data":\[3\.5\]/);
    assert.ok(text.indexOf('"data":[2.5]') < text.indexOf('"data":[3.5]'));
    client.socket.destroy();
  });

  it('refuses a body by its declared length, before it is sent, and says so to a client that waits', async () => {
    await using server = await start([served('half', halfPlusTwo())], { maxRequestBytes: 100 });
    const client = await tcp(server.port);
    client.socket.write(head(101, 'Expect: 100-continue\r\n'));
    assert.match(await client.until(/"error":.*\}$/), /^HTTP\/1\.1 413 [\s\S]*Connection: close/i);
    client.socket.destroy();
  });

  it('tells a client that waits to go on', async () => {
    await using server = await start([served('half', halfPlusTwo())]);
    const client = await tcp(server.port);
    client.socket.write(head(BODY.length, 'Expect: 100-continue\r\n'));
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.socket.write(BODY);
    await client.until(/HTTP\/1\.1 200 OK[\s\S]*"data":\[2\.5\]/);
    client.socket.destroy();
  });

  it('stops reading a chunked body at the limit and still delivers the answer', async () => {
    await using server = await start([served('half', halfPlusTwo())], { maxRequestBytes: 1000 });
    const client = await tcp(server.port);
    client.socket.write('POST /v2/models/half/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `400\r\n${'1'.repeat(1024)}\r\n`;
    for (let index = 0; index < 64; index++) client.socket.write(chunk);
    assert.match(await client.until(/larger than this server takes, 1000 bytes/), /^HTTP\/1\.1 413 /);
    client.socket.write('0\r\n\r\n');
    assert.match(await client.closed(), /connection: close/i);
  });

  it('delivers a 413 to a client that has sent all of a body of 8 MiB', async () => {
    await using server = await start([served('half', halfPlusTwo())], { maxRequestBytes: 1000 });
    const client = await tcp(server.port);
    client.socket.write(head(8 << 20));
    client.socket.write(Buffer.alloc(8 << 20, 0x31));
    assert.match(await client.closed(), /^HTTP\/1\.1 413 /);
  });

  it('answers 408 to a body that comes to a halt', async () => {
    await using server = await start([served('half', halfPlusTwo())], { bodyIdleTimeoutMs: 50 });
    const client = await tcp(server.port);
    client.socket.write(head(BODY.length) + BODY.slice(0, 10));
    const text = await client.closed();
    assert.match(text, /^HTTP\/1\.1 408 [\s\S]*\{"error":"The body came to a halt for 50 ms: send it faster"\}$/);
  });

  it('answers 408 to a head that never ends', async () => {
    await using server = await start([served('half', halfPlusTwo())], { headersTimeoutMs: 50 });
    const client = await tcp(server.port);
    client.socket.write('POST /v2/models/half/infer HTTP/1.1\r\nHost: a\r\n');
    assert.match(await client.closed(), /^HTTP\/1\.1 408 [\s\S]*\{"error":"The request came too slowly"\}$/);
  });

  const unreadable = [
    {
      title: 'HTTP/2',
      bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      says: /^HTTP\/1\.1 400 [\s\S]*\{"error":"The request is no HTTP\/1\.1: HPE_/,
    },
    {
      title: 'TLS',
      bytes: '\x16\x03\x01\x02\x00\x01',
      says: /^HTTP\/1\.1 400 [\s\S]*\{"error":"The request is no HTTP\/1\.1: HPE_/,
    },
    {
      title: 'headers of 20 KiB',
      bytes: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      says: /^HTTP\/1\.1 431 [\s\S]*\{"error":"The headers are larger than 16 KiB"\}$/,
    },
  ];
  for (const { title, bytes, says } of unreadable) {
    it(`answers ${title} in the one form of an error`, async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      const client = await tcp(server.port);
      client.socket.write(bytes);
      assert.match(await client.closed(), says);
    });
  }

  it('cancels the inference of a client that left, and counts it as 499', async () => {
    const model = halfPlusTwo();
    await using server = await start([served('half', model)]);
    model.hold();
    const client = await tcp(server.port);
    client.socket.write(REQUEST);
    await eventually('the inference has begun', () => model.begun() === 1);
    client.socket.destroy();
    await eventually('the request is counted as 499', async () => {
      const text = await server.telemetry.registry.metrics();
      return text.includes('protocol="v2",code="499"} 1') && /requests_in_flight\{[^}]*\} 0/.test(text);
    });
  });

  it('never runs a request whose body was not sent to its end', async () => {
    const model = halfPlusTwo();
    await using server = await start([served('half', model)]);
    const client = await tcp(server.port);
    client.socket.write(head(BODY.length) + BODY.slice(0, -1));
    client.socket.end();
    await eventually('the request is counted as 499', async () => {
      return (await server.telemetry.registry.metrics()).includes('code="499"} 1');
    });
    assert.equal(model.begun(), 0);
  });

  describe('drain', () => {
    it('answers what is under way, tells its clients to close, and refuses new connections', async () => {
      const model = halfPlusTwo();
      await using server = await start([served('half', model)]);
      const release = model.hold();
      const busy = await tcp(server.port);
      busy.socket.write(REQUEST);
      await eventually('the inference has begun', () => model.begun() === 1);
      const drained = server.http.drain({ timeoutMs: 10_000 });
      await eventually('it listens no more', () => !server.http.server.listening);

      const late = connect(server.port, '127.0.0.1');
      const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');

      release();
      const text = await busy.closed();
      assert.match(text, /^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*"data":\[2\.5\]/i);
      await drained;
    });

    it('answers a request that comes on an idle connection, as not ready where it asks for that', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      const [first, second, silent] = await Promise.all([tcp(server.port), tcp(server.port), tcp(server.port)]);
      first.socket.write(REQUEST);
      second.socket.write(REQUEST);
      await Promise.all([first.until(/2\.5/), second.until(/2\.5/)]);
      const drained = server.http.drain({ timeoutMs: 10_000, idleGraceMs: 9000 });
      await eventually('it listens no more', () => !server.http.server.listening);
      first.socket.write(REQUEST);
      second.socket.write('GET /v2/health/ready HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match(await first.closed(), /2\.5[\s\S]*Connection: close[\s\S]*2\.5/i);
      assert.match(await second.closed(), /HTTP\/1\.1 503 [\s\S]*The server is shutting down/);
      silent.socket.destroy();
      await drained;
    });

    it('closes connections that stay idle for the grace, also those that never sent a byte', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      const silent = await tcp(server.port);
      await server.http.drain({ timeoutMs: 10_000, idleGraceMs: 20 });
      assert.equal(await silent.closed(), '');
    });

    it('answers a request that lies unread when the grace ends, as where the process was kept from its work', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      await using client = await threadClient(server.port);
      const drained = server.http.drain({ timeoutMs: 10_000, idleGraceMs: 500 });
      // Just before it has been idle long enough: timers fire in their order, however late they are.
      await delay(485);
      // From here the event loop goes to its timers without reading.
      await nextLoop();
      blockedWhile(client, REQUEST, 200);
      assert.match(await client.closed(), /^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*"data":\[2\.5\]/i);
      await drained;
    });

    it('takes no connection for idle on which a request comes little by little', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      const client = await tcp(server.port);
      const drained = server.http.drain({ timeoutMs: 10_000, idleGraceMs: 300 });
      for (const letter of head(BODY.length).slice(0, 20)) {
        client.socket.write(letter);
        await delay(30);
      }
      client.socket.write(REQUEST.slice(20));
      assert.match(await client.closed(), /^HTTP\/1\.1 200 OK/);
      await drained;
    });

    it('answers on a connection that it had not accepted yet', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      await using client = await threadClient(server.port, { connected: false });
      blockedWhile(client, REQUEST, 0);
      await server.http.drain({ timeoutMs: 10_000, idleGraceMs: 1000 });
      assert.match(await client.closed(), /^HTTP\/1\.1 200 OK[\s\S]*Connection: close/i);
    });

    it('says that it closes before it does, and runs nothing that it could not answer any more', async () => {
      const model = halfPlusTwo();
      await using server = await start([served('half', model)]);
      const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      const drained = server.http.drain({ timeoutMs: 10_000, idleGraceMs: 20 });
      await once(socket.resume(), 'end');
      socket.on('error', () => undefined).write(REQUEST);
      await drained;
      assert.equal(model.begun(), 0);
      socket.destroy();
    });

    it('waits no longer than a moment for a client that never closes its side', async () => {
      await using server = await start([served('half', halfPlusTwo())]);
      const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      await server.http.drain({ timeoutMs: 60_000, idleGraceMs: 20 });
      socket.destroy();
    });

    it('answers all pipelined requests', async () => {
      const model = halfPlusTwo();
      await using server = await start([served('half', model)]);
      const release = model.hold();
      const client = await tcp(server.port);
      client.socket.write(REQUEST + REQUEST);
      await eventually('both inferences have begun', () => model.begun() === 2);
      const drained = server.http.drain({ timeoutMs: 10_000 });
      await eventually('it listens no more', () => !server.http.server.listening);
      release();
      assert.equal((await client.closed()).match(/HTTP\/1\.1 200 OK/g)?.length, 2);
      await drained;
    });

    it('cuts what is not answered in time', async () => {
      const model = halfPlusTwo();
      await using server = await start([served('half', model)]);
      model.hold();
      const client = await tcp(server.port);
      client.socket.write(REQUEST);
      await eventually('the inference has begun', () => model.begun() === 1);
      await server.http.drain({ timeoutMs: 50, idleGraceMs: 10 });
      assert.equal(await client.closed(), '');
    });
  });
});
