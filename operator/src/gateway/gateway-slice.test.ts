import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { OwnerReference } from '../kube/types.ts';
import { type EndpointSlice, toGatewaySlice } from './gateway-slice.ts';

const owner: OwnerReference = {
  apiVersion: 'modelservice.dev/v1alpha1',
  kind: 'ModelService',
  name: 'digits',
  uid: 'u',
  controller: true,
};
const http = (port: number) => [{ name: 'http', port }];
const slice = (change: Partial<EndpointSlice>, metadata: object = {}): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    namespace: 'n',
    name: 'digits--gateway',
    uid: 's',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ownerReferences: [owner],
    ...metadata,
  },
  ports: http(20_001),
  ...change,
});

describe('the slice of a gateway', () => {
  it('says where to listen for which ModelService', () => {
    assert.deepEqual(toGatewaySlice(slice({})).route, {
      service: 'n/digits',
      port: 20_001,
      since: '2026-01-01T00:00:00Z s',
    });
  });

  for (const { title, given } of [
    { title: 'nobody controls it', given: slice({}, { ownerReferences: [] }) },
    { title: 'it belongs to something else', given: slice({}, { ownerReferences: [{ ...owner, kind: 'Service' }] }) },
    { title: 'it is named after another service', given: slice({}, { name: 'letters--gateway' }) },
    { title: 'its port is below the range', given: slice({ ports: http(19_999) }) },
    { title: 'its port is above the range', given: slice({ ports: http(30_000) }) },
    { title: 'it has no port for HTTP', given: slice({ ports: [{ name: 'grpc', port: 20_001 }] }) },
    { title: 'it has no ports at all', given: slice({ ports: null }) },
  ]) {
    it(`is ignored where ${title}`, () => {
      assert.equal(toGatewaySlice(given).route, undefined);
    });
  }
});
