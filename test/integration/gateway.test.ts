import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'mocha';
import { writesBy } from '../cluster/audit-log.ts';
import { field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { createHttpPod } from './support/http-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { usernameOf } from './support/operator-account.ts';
import { RESOURCES } from './support/resource-types.ts';
import {
  createRoutedService,
  createSlice,
  listenerOf,
  type RoutedService,
  type SuiteGateway,
  setState,
  startGateway,
  useGateway,
} from './support/suite-gateway.ts';
import { testApi, testCluster } from './support/test-run.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly connection: string | undefined;
}

/** A request to the gateway, and how a client leaves. */
function ask({ port }: RoutedService, path = '/', body?: Buffer) {
  const method = body === undefined ? 'GET' : 'POST';
  const outgoing = request({ host: '127.0.0.1', port, path, method, agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      text(incoming).then(
        (content) =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: content,
            retryAfter: incoming.headers['retry-after'],
            connection: incoming.headers.connection,
          }),
        reject,
      );
    });
  });
  answer.catch(() => undefined);
  outgoing.end(body);
  return { answer, leave: () => outgoing.destroy() };
}

async function metricsOf({ process }: SuiteGateway): Promise<string> {
  return await (await fetch(`${process.metricsUrl}/metrics`)).text();
}

async function awaitHeld(gateway: SuiteGateway, count: number): Promise<void> {
  await eventually(() => metricsOf(gateway), {
    because: `${count} requests are held`,
    until: (metrics) => new RegExp(`^modelservice_gateway_held_requests ${count}$`, 'm').test(metrics),
  });
}

describe('the gateway', () => {
  const namespace = useNamespace('gateway');
  const gateway = useGateway(namespace, ['--max-held-requests=120']);
  const route = (name: string) => createRoutedService(gateway().process, namespace(), name);
  const podRef = (name: string) => ({ namespace: namespace(), name });

  it('holds 50 requests at zero, asks for pods once, and loses none', async () => {
    const service = await route('digits');
    const asked = Array.from({ length: 50 }, (_, index) => ask(service, `/${index}`));
    await awaitHeld(gateway(), 50);
    const woken = await eventually(() => testApi().get(RESOURCES.modelServices, service), {
      because: 'the gateway asks for pods',
      until: (object) => field(object, 'status', 'scaling', 'wakeRequestTime') !== undefined,
    });
    const wakeRequestTime = String(field(woken, 'status', 'scaling', 'wakeRequestTime'));
    assert.ok(Math.abs(Date.parse(wakeRequestTime) - Date.now()) < 60_000, wakeRequestTime);
    const managers = woken.metadata.managedFields?.filter(({ manager }) => manager === 'modelservice-gateway');
    assert.deepEqual(
      managers?.map(({ operation, subresource, fieldsV1 }) => ({ operation, subresource, fieldsV1 })),
      [
        {
          operation: 'Apply',
          subresource: 'status',
          fieldsV1: { 'f:status': { 'f:scaling': { 'f:wakeRequestTime': {} } } },
        },
      ],
    );
    await using pod = await createHttpPod(podRef('digits-1'), 'digits', (incoming, response) =>
      response.end(`answer to ${incoming.url}`),
    );
    await pod.ready();
    const answers = await Promise.all(asked.map(({ answer }) => answer));
    assert.deepEqual(
      answers.map(({ status, body, connection }) => [status, body, connection]),
      asked.map((_, index) => [200, `answer to /${index}`, 'close']),
    );
    const metrics = await metricsOf(gateway());
    assert.match(metrics, new RegExp(`requests_total{namespace="${namespace()}",service="digits",code="200"} 50`));
    const { auditEvents } = testCluster();
    if (auditEvents === undefined) return;
    const writes = writesBy(await auditEvents(), usernameOf(gateway().account));
    // One, and one more for each 15 s on a slow machine.
    assert.ok(writes.length >= 1 && writes.length <= 3, `${writes.length} writes`);
    assert.ok(writes.every(({ objectRef }) => objectRef?.subresource === 'status'));
  });

  it('streams a body of some megabytes while a pod is ready, without holding it', async () => {
    const service = await route('large');
    await using pod = await createHttpPod(podRef('large-1'), 'large', (incoming, response) => incoming.pipe(response));
    await pod.ready();
    const body = Buffer.alloc(8 * 1024 * 1024, 'abc');
    const { answer } = ask(service, '/', body);
    assert.equal((await answer).body, body.toString());
  });

  it('asks the next pod where one refuses the connection', async () => {
    const service = await route('half');
    await using refusing = await createHttpPod(podRef('half-1'), 'half', undefined);
    await using well = await createHttpPod(podRef('half-2'), 'half', (_, response) => response.end('well'));
    const asked = Array.from({ length: 10 }, () => ask(service));
    await awaitHeld(gateway(), 10);
    await refusing.ready();
    await well.ready();
    const answers = await Promise.all(asked.map(({ answer }) => answer));
    assert.deepEqual(new Set(answers.map(({ body }) => body)), new Set(['well']));
  });

  it('forgets a request whose client leaves', async () => {
    const service = await route('left');
    const { leave } = ask(service);
    await awaitHeld(gateway(), 1);
    leave();
    await awaitHeld(gateway(), 0);
    await eventually(() => metricsOf(gateway()), {
      because: 'it is counted as one that left',
      until: (metrics) => /service="left",code="499"} 1/.test(metrics),
    });
  });

  it('refuses what is too much for one service, and leaves room for others', async () => {
    const service = await route('crowded');
    const other = await route('quiet');
    const asked = Array.from({ length: 60 }, () => ask(service));
    await awaitHeld(gateway(), 60);
    const { status, body, retryAfter, connection } = await ask(service).answer;
    assert.deepEqual([status, connection], [503, 'close']);
    assert.match(body, /too many requests wait for ModelService \S+\/crowded already/);
    assert.ok(Number(retryAfter) > 0);
    const { leave } = ask(other);
    await awaitHeld(gateway(), 61);
    leave();
    for (const { leave: go } of asked) go();
    await awaitHeld(gateway(), 0);
  });

  for (const { state, message } of [
    { state: 'Suspended', message: 'spec.suspend is true.' },
    { state: 'ScaledToZero', message: 'The size is zero.' },
  ]) {
    it(`says why it does not wake a service that is ${state}, held requests or new ones`, async () => {
      const name = state.toLowerCase();
      const service = await route(name);
      const held = ask(service);
      await awaitHeld(gateway(), 1);
      await setState(service, state, { reason: state, message });
      const expected = { error: `ModelService ${namespace()}/${name} has no pods: ${state}: ${message}` };
      for (const { status, body } of [await held.answer, await ask(service).answer]) {
        assert.deepEqual([status, JSON.parse(body)], [503, expected]);
      }
    });
  }

  it('answers what is held for a service that is deleted, and stops listening', async () => {
    const service = await route('deleted');
    const { answer } = ask(service);
    await awaitHeld(gateway(), 1);
    await testApi().delete(RESOURCES.modelServices, service);
    const { status, body } = await answer;
    assert.equal(status, 503);
    assert.match(body, /there is no ModelService \S+\/deleted any more/);
    // As the garbage collector does, which takes its time after a definition is new.
    await testApi().delete(RESOURCES.endpointSlices, { namespace: namespace(), name: 'deleted--gateway' });
    await eventually(() => listenerOf(gateway().process, service), {
      because: 'the gateway listens no longer',
      until: (listener) => listener.status === 404,
    });
    await assert.rejects(ask(service).answer, /ECONNREFUSED/);
  });

  it('forwards what is held when the slice goes and pods come, and follows the slice to another port', async () => {
    const service = await route('moved');
    const { answer } = ask(service);
    await awaitHeld(gateway(), 1);
    await testApi().delete(RESOURCES.endpointSlices, { namespace: namespace(), name: 'moved--gateway' });
    await eventually(() => listenerOf(gateway().process, service), {
      because: 'the gateway listens no longer',
      until: ({ status }) => status === 404,
    });
    const moved = await createSlice(gateway().process, namespace(), 'moved');
    assert.notEqual(moved.port, service.port);
    const later = ask(moved);
    await awaitHeld(gateway(), 2);
    await using pod = await createHttpPod(podRef('moved-1'), 'moved', (_, response) => response.end('here'));
    await pod.ready();
    assert.deepEqual([(await answer).body, (await later.answer).body], ['here', 'here']);
  });

  it('confirms nothing for a service that it does not know', async () => {
    assert.equal((await listenerOf(gateway().process, podRef('unknown'))).status, 404);
  });

  it('is refused nothing that it tries', async () => {
    assert.doesNotMatch(await gateway().process.logs(), /cannot \w+ resource/);
  });
});

describe('a gateway with little patience', () => {
  const namespace = useNamespace('gateway-impatient');
  const gateway = useGateway(namespace, ['--hold-timeout=2s']);

  it('says what the ModelService says when a request has waited too long', async () => {
    const service = await createRoutedService(gateway().process, namespace(), 'stuck');
    const message = 'No node has a GPU left.';
    await setState(service, 'Waking', { reason: 'Unschedulable', message });
    const { status, body, retryAfter } = await ask(service).answer;
    assert.deepEqual(
      [status, JSON.parse(body)],
      [
        503,
        {
          error: `ModelService ${namespace()}/stuck did not become ready in time: Unschedulable: ${message}`,
        },
      ],
    );
    assert.ok(Number(retryAfter) > 0);
  });
});

describe('a gateway that is stopped', () => {
  const namespace = useNamespace('gateway-stopped');

  it('finishes what it holds when a pod is ready in time', async () => {
    const gateway = await startGateway(namespace());
    const service = await createRoutedService(gateway.process, namespace(), 'intime');
    const { answer } = ask(service);
    await awaitHeld(gateway, 1);
    const stopped = gateway.process.stop();
    await eventually(() => fetch(`${gateway.process.healthUrl}/readyz`), {
      because: 'it is no longer ready',
      until: ({ status }) => status === 503,
    });
    assert.equal((await listenerOf(gateway.process, service)).status, 404);
    await assert.rejects(ask(service).answer, /ECONNREFUSED/);
    await using pod = await createHttpPod({ namespace: namespace(), name: 'intime-1' }, 'intime', (_, response) =>
      response.end('in time'),
    );
    await pod.ready();
    assert.equal((await answer).body, 'in time');
    assert.equal(await stopped, 'exit status 0');
  });

  it('tells the others to try again', async () => {
    const gateway = await startGateway(namespace(), ['--drain-timeout=1s']);
    const service = await createRoutedService(gateway.process, namespace(), 'toolate');
    const { answer } = ask(service);
    await awaitHeld(gateway, 1);
    const stopped = gateway.process.stop();
    const { status, body, retryAfter } = await answer;
    assert.equal(status, 503);
    assert.match(body, /has to stop/);
    assert.equal(retryAfter, '1');
    assert.equal(await stopped, 'exit status 0');
  });

  it('does not wait for clients that never finish their headers', async () => {
    const gateway = await startGateway(namespace());
    const { port } = await createRoutedService(gateway.process, namespace(), 'slow');
    const client = connect(port, '127.0.0.1');
    // A reset is as good an end as any.
    client.on('error', () => undefined).resume();
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    await new Promise<void>((resolve) => client.write('GET / HTTP/1.1\r\nHo', () => resolve()));
    assert.equal(await gateway.process.stop(), 'exit status 0');
    await closed;
  });
});
