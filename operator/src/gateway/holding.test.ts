import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'mocha';
import { SERVICE, startTestGateway } from './test-support.ts';

describe('requests that are held', () => {
  it('have their service woken once, however many there are; its work queue tries again', async () => {
    await using gateway = await startTestGateway();
    const clients = Array.from({ length: 3 }, () => {
      const client = request({ host: '127.0.0.1', port: gateway.port, agent: false });
      client.on('error', () => undefined).end();
      return client;
    });
    while (gateway.holding.held < clients.length) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(gateway.wakes, [SERVICE]);
    gateway.setPods([]);
    assert.deepEqual(gateway.wakes, [SERVICE, SERVICE]);
    for (const client of clients) client.destroy();
  });
});
