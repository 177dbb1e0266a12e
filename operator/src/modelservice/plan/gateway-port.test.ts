import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { EndpointSlice } from '../live-objects.ts';
import { chooseGatewayPort, FIRST_PORT, LAST_PORT } from './gateway-port.ts';

function slice(uid: string, port: number, creationTimestamp = '2026-01-01T00:00:00Z'): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: uid, namespace: 'vision', uid, resourceVersion: '1', creationTimestamp },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
  };
}

describe('chooseGatewayPort', () => {
  it('gives each of many services a port of its own within the range, the same one each time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 50 }), (keys) => {
        const slices: EndpointSlice[] = [];
        for (const key of keys) {
          const port = chooseGatewayPort(key, undefined, slices);
          assert.equal(port, chooseGatewayPort(key, undefined, slices));
          assert.ok(port !== undefined && port >= FIRST_PORT && port <= LAST_PORT);
          slices.push(slice(key, port));
        }
        assert.equal(new Set(slices.map(({ ports }) => ports?.[0]?.port)).size, keys.length);
      }),
    );
  });

  it('keeps the port that a slice has, whatever the others have', () => {
    assert.equal(chooseGatewayPort('vision/a', slice('a', 20_500), [slice('b', 20_501)]), 20_500);
  });

  it('moves the younger of two slices that chose one port at the same moment, and not the older', () => {
    const [older, younger] = [slice('b', 20_500), slice('a', 20_500, '2026-01-01T00:00:01Z')];
    assert.equal(chooseGatewayPort('vision/b', older, [younger]), 20_500);
    assert.notEqual(chooseGatewayPort('vision/a', younger, [older]), 20_500);
  });

  it('replaces a port that is none of the gateway’s', () => {
    assert.notEqual(chooseGatewayPort('vision/a', slice('a', 80), []), 80);
  });

  it('says so when all are taken', () => {
    const all = Array.from({ length: LAST_PORT - FIRST_PORT + 1 }, (_, index) => slice(`${index}`, FIRST_PORT + index));
    assert.equal(chooseGatewayPort('vision/a', undefined, all), undefined);
  });
});
