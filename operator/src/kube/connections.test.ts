import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { clientNodeAccess } from './client-node-access.ts';
import { Connections } from './connections.ts';
import { type ClusterAccess, sameTls } from './credentials.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { loadAccess } from './load-access.ts';
import { type PlainCluster, plainAccess } from './plain-access.ts';

describe('access to a cluster', () => {
  let folder: string;
  let caFile: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'access-'));
    caFile = join(folder, 'ca.crt');
    path = join(folder, 'kubeconfig');
    await writeFile(caFile, 'first');
  });

  afterEach(async () => await rm(folder, { recursive: true }));

  /** As JSON, which is YAML. */
  function kubeconfigOf(user: object, cluster: object = {}): string {
    return JSON.stringify({
      'current-context': 'context',
      contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
      clusters: [
        {
          name: 'cluster',
          cluster: { server: 'https://api.example/prefix', 'certificate-authority': 'ca.crt', ...cluster },
        },
      ],
      users: [{ name: 'user', user }],
    });
  }

  async function accessOf(user: object, cluster: object = {}): Promise<ClusterAccess> {
    await writeFile(path, kubeconfigOf(user, cluster));
    return await loadAccess({ KUBECONFIG: path });
  }

  function plainOf(user: object, cluster: object = {}): PlainCluster | undefined {
    return readKubeconfig(kubeconfigOf(user, cluster), path);
  }

  const exec = {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-p', 'JSON.stringify({status: {token: "printed"}})'],
    },
  };
  const users: readonly { readonly title: string; readonly user: object; readonly headers: object }[] = [
    { title: 'a token', user: { token: 't' }, headers: { authorization: 'Bearer t' } },
    {
      title: 'a name and password',
      user: { username: 'me', password: 'sec:ret' },
      headers: { authorization: `Basic ${Buffer.from('me:sec:ret').toString('base64')}` },
    },
    { title: 'the token that an exec plugin prints', user: exec, headers: { authorization: 'Bearer printed' } },
    { title: 'nothing', user: {}, headers: {} },
  ];
  for (const { title, user, headers } of users) {
    it(`sends ${title}`, async () => {
      const access = await accessOf(user);
      assert.deepEqual((await access.credentials()).headers, headers);
      assert.equal(access.server().href, 'https://api.example/prefix');
    });
  }

  it('is the same through client-node and without it', async () => {
    const data = (text: string): string => Buffer.from(text).toString('base64');
    const user = { token: 't', 'client-certificate-data': data('cert'), 'client-key-data': data('key') };
    const cluster = { 'tls-server-name': 'api', 'insecure-skip-tls-verify': true };
    const plain = plainOf(user, cluster);
    assert.ok(plain !== undefined);
    await writeFile(path, kubeconfigOf(user, cluster));
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(path);
    const [ours, theirs] = await Promise.all([
      plainAccess(plain).credentials(),
      clientNodeAccess(kubeConfig).credentials(),
    ]);
    assert.deepEqual(ours.headers, theirs.headers);
    assert.deepEqual(
      Object.fromEntries(Object.entries(theirs.tls).map(([name, value]) => [name, String(value)])),
      Object.fromEntries(Object.entries(ours.tls).map(([name, value]) => [name, String(value)])),
    );
  });

  for (const [title, user, cluster] of [
    ['an exec plugin', exec, {}],
    ['an identity provider', { 'auth-provider': { name: 'oidc' } }, {}],
    ['impersonation', { token: 't', as: 'somebody' }, {}],
    ['a proxy', { token: 't' }, { 'proxy-url': 'http://proxy:3128' }],
  ] as const) {
    it(`is left to client-node for ${title}`, () => assert.equal(plainOf(user, cluster), undefined));
  }

  it('shares one agent until a certificate on disk changes, which is read once a minute', async () => {
    const plain = plainOf({ token: 't' });
    assert.ok(plain !== undefined);
    let nowMs = 0;
    const access = plainAccess(plain, () => nowMs);
    const connections = new Connections(access, { connectTimeoutMs: 1000 });
    const first = await access.credentials();
    await writeFile(caFile, 'second');
    nowMs = 59_999;
    const again = await access.credentials();
    assert.equal(connections.dispatcherFor(first.tls), connections.dispatcherFor(again.tls));
    nowMs = 60_000;
    const rotated = await access.credentials();
    assert.ok(!sameTls(first.tls, rotated.tls));
    assert.notEqual(connections.dispatcherFor(again.tls), connections.dispatcherFor(rotated.tls));
    await connections.close();
  });

  it('reads a file again at the next request when it could not be read', async () => {
    const access = await accessOf({ tokenFile: 'token' });
    await assert.rejects(access.credentials(), /ENOENT.*token/);
    await writeFile(join(folder, 'token'), 'late\n');
    assert.deepEqual((await access.credentials()).headers, { authorization: 'Bearer late' });
  });

  it("is a pod's own service account where no kubeconfig is named", async () => {
    await writeFile(join(folder, 'token'), 'mounted');
    const env = { HOME: folder, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const access = await loadAccess(env, folder);
    assert.equal(access.server().href, 'https://[fd00::1]/');
    const { headers, tls } = await access.credentials();
    assert.deepEqual([headers, tls], [{ authorization: 'Bearer mounted' }, { ca: 'first' }]);
    await assert.rejects(loadAccess({}), /name a kubeconfig in KUBECONFIG/);
  });

  it('refuses a server without TLS, unless the kubeconfig waives verification', async () => {
    for (const user of [{ token: 't' }, exec]) {
      const refused = new Connections(await accessOf(user, { server: 'http://api.example' }), { connectTimeoutMs: 1 });
      assert.throws(() => refused.dispatcherFor({}), /HTTP protocol is not allowed/);
    }
    const waived = await accessOf({ token: 't' }, { server: 'http://api.example', 'insecure-skip-tls-verify': true });
    await waived.createDispatcher({}, { connectTimeoutMs: 1 }).close();
  });
});
