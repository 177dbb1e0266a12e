import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { clientNodeAccess } from './client-node-access.ts';
import { ApiError, isConflict, isGone, isInvalid, isNotFound, isTooManyRequests, TransportError } from './errors.ts';
import { KubeClient } from './kube-client.ts';
import { POD } from './resources.ts';

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

describe('KubeClient', () => {
  let respond: Respond;
  let url: string;
  let client: KubeClient;
  let counted: string[];
  let stopServer: () => Promise<void>;
  const { signal } = new AbortController();
  const ref = { namespace: 'default', name: 'a' };

  beforeEach(async () => {
    const server = createServer((request, response) => respond(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stopServer = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
    counted = [];
    client = connect({ name: 'user', token: 'secret' }, { requestTimeoutMs: 60_000 });
  });

  afterEach(async () => {
    await client.close();
    await stopServer();
  });

  function connect(user: object, options: { requestTimeoutMs: number; guardWrite?: () => void }): KubeClient {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: 'cluster', server: url, skipTLSVerify: true }],
      users: [user],
      contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
      currentContext: 'context',
    });
    const onResponse = ({ code, method }: { code: string; method: string }): number =>
      counted.push(`${method} ${code}`);
    return new KubeClient({ access: clientNodeAccess(kubeConfig), userAgent: 'test/1', onResponse, ...options });
  }

  function answer(code: number, body: unknown, headers: Record<string, string> = {}): Respond {
    return (_request, response) => {
      response.writeHead(code, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
  }

  it('sends the credentials and keeps a path that the server URL has', async () => {
    const seen: unknown[] = [];
    respond = (request, response) => {
      seen.push(request.url, request.headers.authorization, request.headers['user-agent'], request.headers.accept);
      answer(200, {})(request, response);
    };
    await client.get(POD, ref, signal);
    assert.deepEqual(seen, ['/prefix/api/v1/namespaces/default/pods/a', 'Bearer secret', 'test/1', 'application/json']);
    assert.deepEqual(counted, ['GET 200']);
  });

  it('keeps its connections for the next calls', async () => {
    const ports = new Set<number | undefined>();
    respond = (request, response) => {
      ports.add(request.socket.remotePort);
      answer(200, {})(request, response);
    };
    for (let call = 0; call < 20; call++) await client.get(POD, ref, signal);
    // Not always one: undici takes another while the last answer's socket is not yet released.
    assert.ok(ports.size < 5, `20 calls took ${ports.size} connections`);
  });

  it('lists with what was asked for, and gives the items the type that a list leaves out', async () => {
    let asked = '';
    respond = (request, response) => {
      asked = request.url ?? '';
      answer(200, { metadata: { resourceVersion: '7', continue: 'x' }, items: [{ metadata: { name: 'a' } }] })(
        request,
        response,
      );
    };
    const page = await client.list(POD, { limit: 1, labelSelector: 'a in (b,c)' }, signal);
    assert.equal(asked, '/prefix/api/v1/pods?limit=1&labelSelector=a+in+%28b%2Cc%29');
    assert.deepEqual(page, {
      resourceVersion: '7',
      continue: 'x',
      items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }],
    });
  });

  const status = (code: number, reason: string, details = {}): object => ({
    kind: 'Status',
    code,
    reason,
    message: 'told by the server',
    details,
  });
  const refusals: readonly {
    readonly code: number;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
    readonly message: string;
    readonly is?: (error: unknown) => boolean;
    readonly retryAfterMs?: number;
  }[] = [
    { code: 404, body: status(404, 'NotFound'), message: '404 NotFound: told by the server', is: isNotFound },
    { code: 409, body: status(409, 'Conflict'), message: '409 Conflict: told by the server', is: isConflict },
    { code: 410, body: status(410, 'Expired'), message: '410 Expired: told by the server', is: isGone },
    { code: 422, body: status(422, 'Invalid'), message: '422 Invalid: told by the server', is: isInvalid },
    {
      code: 429,
      body: 'Too many requests, please try again later.\n',
      headers: { 'retry-after': '3' },
      message: '429: Too many requests, please try again later.',
      is: isTooManyRequests,
      retryAfterMs: 3000,
    },
    {
      code: 500,
      body: status(500, 'ServerTimeout', { retryAfterSeconds: 2 }),
      message: '500 ServerTimeout: told by the server',
      retryAfterMs: 2000,
    },
    { code: 502, body: '', message: '502: the answer has no body' },
  ];
  for (const { code, body, headers, message, is, retryAfterMs } of refusals) {
    it(`tells a ${code} in the server's words`, async () => {
      respond = answer(code, body, headers);
      await assert.rejects(client.get(POD, ref, signal), (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.message, `Could not get Pod default/a: ${message}`);
        assert.equal(error.retryAfterMs, retryAfterMs);
        if (is !== undefined) assert.ok(is(error));
        return true;
      });
      assert.deepEqual(counted, [`GET ${code}`]);
    });
  }

  it('finds a delete of what is gone a success', async () => {
    respond = answer(404, status(404, 'NotFound'));
    await client.delete(POD, ref, {}, signal);
  });

  it('asks its guard when a write is about to be sent, however long the connection took, and never for a read', async () => {
    const refusal = new Error('too late');
    const seen: string[] = [];
    let mayWrite = true;
    client = connect(
      { name: 'user' },
      {
        requestTimeoutMs: 60_000,
        guardWrite: () => {
          if (!mayWrite) throw refusal;
        },
      },
    );
    respond = (request, response) => {
      seen.push(request.method ?? '');
      answer(200, {})(request, response);
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...ref, uid: 'u', resourceVersion: '7' } };
    const writes = (): readonly Promise<unknown>[] => [
      client.apply(POD, { apiVersion: 'v1', kind: 'Pod', metadata: ref }, { fieldManager: 'test' }, signal),
      client.update(POD, pod, signal),
      client.create(POD, { metadata: ref }, signal),
      client.delete(POD, ref, {}, signal),
    ];
    const begun = writes();
    mayWrite = false;
    for (const write of begun) {
      await assert.rejects(write, (error) => error instanceof TransportError && error.cause === refusal);
    }
    await client.get(POD, ref, signal);
    assert.deepEqual(seen, ['GET']);

    mayWrite = true;
    await Promise.all(writes());
    assert.deepEqual(seen.toSorted(), ['DELETE', 'GET', 'PATCH', 'POST', 'PUT']);
  });

  it('replaces an object where it is, and creates one in its namespace', async () => {
    const seen: unknown[] = [];
    respond = (request, response) => {
      request.on('data', (chunk) => seen.push(`${request.method} ${request.url} ${chunk}`));
      request.on('end', () => answer(200, {})(request, response));
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...ref, uid: 'u', resourceVersion: '7' } };
    await client.update(POD, pod, signal);
    await client.create(POD, { metadata: ref }, signal);
    assert.deepEqual(seen, [
      `PUT /prefix/api/v1/namespaces/default/pods/a ${JSON.stringify(pod)}`,
      `POST /prefix/api/v1/namespaces/default/pods ${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: ref })}`,
    ]);
  });

  it('tells a connection that breaks, and counts it', async () => {
    respond = (request) => request.socket.destroy();
    await assert.rejects(client.get(POD, ref, signal), (error) => {
      assert.ok(error instanceof TransportError);
      assert.match(error.message, /^Could not get Pod default\/a: /);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    assert.deepEqual(counted, ['GET <error>']);
  });

  it('gives up a request that is not answered', async () => {
    client = connect({ name: 'user' }, { requestTimeoutMs: 20 });
    respond = () => undefined;
    await assert.rejects(client.get(POD, ref, signal), TransportError);
  });

  it("rejects with the signal's reason when it aborts", async () => {
    const stop = new AbortController();
    respond = () => stop.abort(new Error('enough'));
    await assert.rejects(client.get(POD, ref, stop.signal), /^Error: enough$/);
  });

  it('tells credentials that cannot be had', async () => {
    client = connect(
      { name: 'user', authProvider: { name: 'tokenFile', config: { tokenFile: '/nowhere/token' } } },
      { requestTimeoutMs: 60_000 },
    );
    respond = answer(200, {});
    await assert.rejects(client.get(POD, ref, signal), /Could not get Pod default\/a: ENOENT.*\/nowhere\/token/);
  });

  it('cuts the connection of a watch whose reader stops early', async () => {
    const closed = Promise.withResolvers<void>();
    respond = (request, response) => {
      request.socket.on('close', () => closed.resolve());
      response.writeHead(200);
      response.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}\n');
    };
    for await (const event of client.watch(POD, { resourceVersion: '7', timeoutSeconds: 300 }, signal)) {
      assert.deepEqual(event, { type: 'BOOKMARK', resourceVersion: '8' });
      break;
    }
    await closed.promise;
  });

  it('tells a watch that breaks off in the middle of a line', async () => {
    respond = (request, response) => {
      response.writeHead(200);
      response.write('{"type":"ADD', () => request.socket.destroy());
    };
    const watch = client.watch(POD, { resourceVersion: '7', timeoutSeconds: 300 }, signal);
    await assert.rejects(async () => {
      for await (const _event of watch);
    }, TransportError);
  });
});
