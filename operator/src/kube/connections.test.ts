import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Connections } from './connections.ts';
import { credentialsOf, sameTls } from './credentials.ts';

describe('credentials and connections', () => {
  let folder: string;
  let caFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'credentials-'));
    caFile = join(folder, 'ca.crt');
    await writeFile(caFile, 'first');
  });

  afterEach(async () => await rm(folder, { recursive: true }));

  function kubeConfigOf(user: object, cluster: object = {}): KubeConfig {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: 'cluster', server: 'https://api.example', caFile, ...cluster }],
      users: [{ name: 'user', ...user }],
      contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
      currentContext: 'context',
    });
    return kubeConfig;
  }

  it('share one agent until a certificate on disk changes', async () => {
    const kubeConfig = kubeConfigOf({ token: 't' });
    const connections = new Connections(kubeConfig, { connectTimeoutMs: 1000 });
    const first = await credentialsOf(kubeConfig);
    const again = await credentialsOf(kubeConfig);
    assert.ok(sameTls(first.tls, again.tls));
    assert.equal(connections.dispatcherFor(first.tls), connections.dispatcherFor(again.tls));
    await writeFile(caFile, 'second');
    const rotated = await credentialsOf(kubeConfig);
    assert.ok(!sameTls(first.tls, rotated.tls));
    assert.notEqual(connections.dispatcherFor(again.tls), connections.dispatcherFor(rotated.tls));
    await connections.close();
  });

  const users: readonly { readonly title: string; readonly user: object; readonly headers: object }[] = [
    { title: 'a token', user: { token: 't' }, headers: { authorization: 'Bearer t' } },
    {
      title: 'a name and password',
      user: { username: 'me', password: 'secret' },
      headers: { authorization: `Basic ${Buffer.from('me:secret').toString('base64')}` },
    },
    {
      title: 'the token that an exec plugin prints',
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-p', 'JSON.stringify({status: {token: "printed"}})'],
        },
      },
      headers: { authorization: 'Bearer printed' },
    },
    { title: 'nothing', user: {}, headers: {} },
  ];
  for (const { title, user, headers } of users) {
    it(`send ${title}`, async () => {
      assert.deepEqual((await credentialsOf(kubeConfigOf(user))).headers, headers);
    });
  }

  it('refuse a server without TLS, unless the kubeconfig waives verification', () => {
    const connections = new Connections(kubeConfigOf({}, { server: 'http://api.example' }), { connectTimeoutMs: 1000 });
    assert.throws(() => connections.dispatcherFor({}), /HTTP protocol is not allowed/);
  });
});
