import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { authenticate, type ConfigMap, frontProxyOf } from './front-proxy.ts';

const metadata = { name: 'c', uid: 'u', resourceVersion: '1' };
const data = {
  'requestheader-client-ca-file': 'PEM',
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
};
const configMap = (entries: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: entries,
});
const proxy = frontProxyOf(configMap(data));
const commonName = 'front-proxy-client';
const somebody = { 'x-remote-user': ['jane'] };

describe('front proxy', () => {
  it('is unknown where the API server runs without an aggregation layer', () => {
    assert.equal(frontProxyOf(configMap({ 'client-ca-file': 'PEM' })), undefined);
  });

  it('tells the user with groups and extra', () => {
    assert.ok(proxy);
    const headers = {
      ...somebody,
      'x-remote-group': ['a', 'b, c'],
      'x-remote-extra-example.com%2froles': ['x', 'y'],
      'x-remote-extra-100%': ['z'],
      accept: ['*/*'],
    };
    assert.deepEqual(authenticate(proxy, { commonName, headers }), {
      name: 'jane',
      groups: ['a', 'b, c'],
      extra: { 'example.com/roles': ['x', 'y'], '100%': ['z'] },
    });
  });

  for (const { because, credentials } of [
    { because: 'there is no certificate', credentials: { commonName: undefined, headers: somebody } },
    { because: 'the certificate is for another name', credentials: { commonName: 'jane', headers: somebody } },
    { because: 'no user is named', credentials: { commonName, headers: { 'x-remote-group': ['system:masters'] } } },
    { because: 'the user is empty', credentials: { commonName, headers: { 'x-remote-user': [''] } } },
  ]) {
    it(`tells nobody when ${because}`, () => {
      assert.ok(proxy);
      assert.equal(authenticate(proxy, credentials), undefined);
    });
  }

  it('takes any name where none is listed', () => {
    const any = frontProxyOf(configMap({ ...data, 'requestheader-allowed-names': '[]' }));
    assert.ok(any);
    assert.equal(authenticate(any, { commonName: 'any', headers: somebody })?.name, 'jane');
  });
});
