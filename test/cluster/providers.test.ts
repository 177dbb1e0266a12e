import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { clusterConfig } from './cluster-config.ts';
import { COMPONENTS, clusterProviders } from './providers.ts';

const never = new AbortController().signal;

describe('the providers of clusters', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'providers-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function why(name: string, env: Record<string, string>): Promise<string | undefined> {
    const providers = clusterProviders(clusterConfig({ MODELSERVICE_CACHE_DIR: folder, ...env }));
    const provider = providers.find((candidate) => candidate.name.includes(name));
    assert.ok(provider, `there is a provider named ${name}`);
    return await provider.unavailable(never);
  }

  async function install(...names: readonly string[]): Promise<string> {
    const bin = join(folder, 'bin');
    await mkdir(bin, { recursive: true });
    for (const name of names) {
      await writeFile(join(bin, name), '');
      await chmod(join(bin, name), 0o755);
    }
    return bin;
  }

  it('prefers a named cluster, then Docker, then given binaries, then a build', () => {
    const names = clusterProviders(clusterConfig({})).map(({ name }) => name.split(' ').slice(-1)[0]);
    assert.deepEqual(names, ['MODELSERVICE_TEST_KUBECONFIG', 'Docker', 'KUBEBUILDER_ASSETS', 'Go']);
  });

  it('never takes the ambient KUBECONFIG, which may be production', async () => {
    assert.equal(await why('KUBECONFIG', { KUBECONFIG: '/production' }), 'it is not set');
    assert.equal(await why('KUBECONFIG', { MODELSERVICE_TEST_KUBECONFIG: '/test' }), undefined);
  });

  it('wants the controllers among the given binaries, and names what is missing', async () => {
    const bin = await install('etcd', 'kube-apiserver', 'kubectl');
    assert.equal(
      await why('ASSETS', { KUBEBUILDER_ASSETS: bin }),
      `${bin} has no kube-controller-manager, no kube-scheduler, which the suites need`,
    );
    await install(...COMPONENTS);
    assert.equal(await why('ASSETS', { KUBEBUILDER_ASSETS: bin }), undefined);
    assert.equal(await why('ASSETS', { KUBEBUILDER_ASSETS: '' }), 'it is not set');
  });

  it('builds only where there is a Go toolchain', async () => {
    assert.equal(await why('Go', { PATH: folder }), 'there is no Go toolchain on PATH');
    assert.equal(await why('Go', { PATH: await install('go') }), undefined);
  });
});
