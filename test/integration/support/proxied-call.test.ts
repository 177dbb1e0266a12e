import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { callOf } from './proxied-call.ts';

describe('callOf', () => {
  for (const [method, url, expected] of [
    ['GET', '/api/v1/pods?watch=true&resourceVersion=5', { kind: 'watch', resource: 'pods', name: undefined }],
    ['GET', '/apis/apps/v1/deployments?watch=1', { kind: 'watch', resource: 'deployments', name: undefined }],
    [
      'GET',
      '/apis/apps/v1/namespaces/ns/deployments?limit=5',
      { kind: 'list', resource: 'deployments', name: undefined },
    ],
    ['GET', '/api/v1/namespaces', { kind: 'list', resource: 'namespaces', name: undefined }],
    ['GET', '/api/v1/namespaces/ns/services/web', { kind: 'get', resource: 'services', name: 'web' }],
    ['PATCH', '/apis/apps/v1/namespaces/ns/deployments/web', { kind: 'write', resource: 'deployments', name: 'web' }],
    ['POST', '/api/v1/namespaces/ns/pods', { kind: 'write', resource: 'pods', name: undefined }],
    ['GET', '/version', { kind: 'other', resource: '', name: undefined }],
  ] as const) {
    it(`tells what ${method} ${url} is`, () => {
      const { kind, resource, name } = callOf(method, url);
      assert.deepEqual({ kind, resource, name }, expected);
    });
  }
});
