import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isLoopback, serveHttp, text } from './http-endpoint.ts';

describe('serveHttp', () => {
  it('says of a caller on this machine that it is one', async () => {
    const endpoint = await serveHttp({ host: '127.0.0.1', port: 0 }, async (_path, { isLocal }) =>
      text(200, `${isLocal}`),
    );
    try {
      const response = await fetch(`http://127.0.0.1:${endpoint.port}/`);
      assert.equal(await response.text(), 'true');
    } finally {
      await endpoint.close();
    }
  });

  for (const ip of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
    it(`takes ${ip} for one of this machine's own`, () => assert.ok(isLoopback(ip)));
  }
  for (const ip of ['', '10.127.0.1', '::ffff:10.0.0.7', 'fd00::1', '::10', '1270.0.0.1']) {
    it(`does not take "${ip}" for one`, () => assert.ok(!isLoopback(ip)));
  }
});
