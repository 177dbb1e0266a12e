import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'mocha';
import { pino } from 'pino';
import { systemClock } from '../runtime/clock.ts';
import { listenersHandler } from './confirm-listening.ts';
import { Listeners, type ListenersOptions } from './listeners.ts';

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('the listeners of a gateway', () => {
  const options: ListenersOptions = {
    host: '127.0.0.1',
    onRequest: (service, { response }) => response.end(service),
    log: pino({ level: 'silent' }),
    clock: systemClock,
    random: () => 0,
    headersTimeoutMs: 100,
  };
  const listeners = new Listeners(options);
  const taken = createServer((_, response) => response.end('somebody else'));
  let port: number;
  const route = (service: string, since = '2026-01-01T00:00:00Z') => ({ service, port, since });
  before(async () => {
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    port = (taken.address() as AddressInfo).port;
  });
  after(() => listeners.stop());
  const handler = listenersHandler((service) => listeners.portOf(service));

  it('listen only from the start on, and try again for a port that is taken', async () => {
    listeners.want(route('n/a'));
    assert.equal(listeners.portOf('n/a'), undefined);
    listeners.start();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(listeners.portOf('n/a'), undefined);
    assert.equal((await handler('/listeners/n/a'))?.status, 404);
    taken.close();
    taken.closeAllConnections();
    await until(() => listeners.portOf('n/a') === port);
    const confirmed = await handler('/listeners/n/a');
    assert.deepEqual([confirmed?.status, confirmed?.body], [200, JSON.stringify({ port })]);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'n/a');
  });

  it('give a port to another service', async () => {
    listeners.drop('n/a');
    assert.equal(listeners.portOf('n/a'), undefined);
    listeners.want(route('n/b'));
    await until(() => listeners.portOf('n/b') === port);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'n/b');
  });

  it('send away a client that does not finish its headers', async () => {
    const client = connect(port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHo');
    assert.match(await text(client), /^HTTP\/1\.1 408 /);
  });

  it('confirm nothing once they are stopped, and leave other paths alone', async () => {
    listeners.stop();
    assert.equal((await handler('/listeners/n/b'))?.status, 404);
    assert.equal(await handler('/listeners/n'), undefined);
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
  });

  it('leave a port that two were given to the elder, whichever is seen first', async () => {
    const restarted = new Listeners(options);
    restarted.want(route('a/younger', '2026-01-02T00:00:00Z'));
    restarted.want(route('n/digits', '2026-01-01T00:00:00Z'));
    restarted.start();
    await until(() => restarted.portOf('n/digits') === port || restarted.portOf('a/younger') === port);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'n/digits');
    assert.equal(restarted.portOf('a/younger'), undefined);
    restarted.stop();
  });
});
