import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sampleGatewayPod, sampleService, sampleSlice } from '../sample.ts';
import { gatewayAddressType, gatewaySliceOf } from './gateway-slice.ts';

const V6 = 'fd00::1';

describe('the slice of the gateway', () => {
  it('leads the Service to the pods that hold requests, in an order of its own', () => {
    const pods = [sampleGatewayPod('b'), sampleGatewayPod('a')];
    const slice = gatewaySliceOf(sampleService(), 'IPv4', 20_007, pods);
    assert.equal(slice.metadata.name, 'mnist--gateway');
    assert.partialDeepStrictEqual(slice.metadata, {
      namespace: 'vision',
      labels: {
        'kubernetes.io/service-name': 'mnist',
        'endpointslice.kubernetes.io/managed-by': 'modelservice-operator',
        'modelservice.dev/name': 'mnist',
      },
      ownerReferences: [{ kind: 'ModelService', uid: 'service-uid', controller: true }],
    });
    assert.deepEqual(
      { ...slice, apiVersion: undefined, kind: undefined, metadata: undefined },
      {
        apiVersion: undefined,
        kind: undefined,
        metadata: undefined,
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 20_007, protocol: 'TCP', appProtocol: 'http' }],
        endpoints: ['a', 'b'].map((uid) => ({
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', namespace: 'system', name: `gateway-${uid}`, uid },
        })),
      },
    );
  });

  it('names only pods of its type of address', () => {
    const pods = [sampleGatewayPod('a'), sampleGatewayPod('b', V6)];
    const { endpoints } = gatewaySliceOf(sampleService(), 'IPv6', 20_007, pods);
    assert.partialDeepStrictEqual(endpoints, [{ addresses: [V6] }]);
    assert.equal((endpoints as readonly unknown[]).length, 1);
  });

  for (const { title, pods, live, expected } of [
    { title: 'of the pods', pods: [sampleGatewayPod('a', V6)], live: sampleSlice([]), expected: 'IPv6' },
    {
      title: 'what it was while no pod runs',
      pods: [],
      live: sampleSlice([], { addressType: 'IPv6' }),
      expected: 'IPv6',
    },
    { title: 'IPv4 at first', pods: [], live: undefined, expected: 'IPv4' },
  ]) {
    it(`has the type of address ${title}`, () => {
      assert.equal(gatewayAddressType(pods, live), expected);
    });
  }
});
