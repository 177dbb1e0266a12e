import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { Gauge, Registry } from 'prom-client';
import { createMetricsServer } from './metrics-server.ts';

describe('metrics server', () => {
  const registry = new Registry();
  for (const [name, value] of Object.entries({ first: 1, second: 2, third: 3 })) {
    new Gauge({ name, help: name, registers: [registry] }).set(value);
  }
  const server = createMetricsServer(registry);
  let url: string;
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  const samples = async (path: string): Promise<readonly string[]> => {
    const text = await (await fetch(`${url}${path}`)).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  };

  for (const { path, expected } of [
    { path: '/metrics', expected: ['first 1', 'second 2', 'third 3'] },
    { path: '/metrics?name[]=second', expected: ['second 2'] },
    { path: '/metrics?name%5B%5D=third&name%5B%5D=first', expected: ['third 3', 'first 1'] },
    { path: '/metrics?name[]=unknown', expected: [] },
  ]) {
    it(`answers ${path}`, async () => assert.deepEqual(await samples(path), expected));
  }

  it('serves nothing else', async () => {
    assert.equal((await fetch(url)).status, 404);
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
  });
});
