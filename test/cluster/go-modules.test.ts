import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { K3S_IMAGE } from './docker-cluster.ts';
import { buildKey, CONTROL_PLANE, HELM, NODE, PROMETHEUS_ADAPTER, requiredVersion } from './go-modules.ts';

describe('buildKey', () => {
  const base = buildKey('mod', 'sum', 'linux-x64');

  it('is the same for the same pins on the same platform', () => {
    assert.equal(buildKey('mod', 'sum', 'linux-x64'), base);
    assert.match(base, /^[0-9a-f]{16}$/);
  });

  for (const [because, other] of [
    ['another go.mod is another build', buildKey('mod2', 'sum', 'linux-x64')],
    ['another go.sum is another build', buildKey('mod', 'sum2', 'linux-x64')],
    ['another platform is another build', buildKey('mod', 'sum', 'linux-arm64')],
    ['text does not move between the files unnoticed', buildKey('mods', 'um', 'linux-x64')],
  ] as const) {
    it(because, () => assert.notEqual(other, base));
  }
});

describe('the pinned Go modules', () => {
  for (const module of [CONTROL_PLANE, NODE, HELM]) {
    it(`names ${module.binaries.map(({ name }) => name).join(', ')} under "tool" in its go.mod`, async () => {
      const goMod = await readFile(join(module.folder, 'go.mod'), 'utf8');
      for (const { package: source } of module.binaries)
        assert.match(goMod, new RegExp(`^(tool )?\\s*${source}$`, 'm'));
      assert.match(requiredVersion(goMod, module.versionFrom), /^v\d+\.\d+\.\d+$/);
    });
  }

  it('give prometheus-adapter the Kubernetes libraries of the control plane, which are compiled already', async () => {
    const [plane = '', adapter = ''] = await Promise.all(
      [CONTROL_PLANE, PROMETHEUS_ADAPTER].map(({ folder }) => readFile(join(folder, 'go.mod'), 'utf8')),
    );
    const replaced = (goMod: string): readonly string[] => goMod.match(/^\tk8s\.io\S+ => .*$/gm) ?? [];
    assert.deepEqual(replaced(adapter), replaced(plane));
    assert.match(requiredVersion(adapter, PROMETHEUS_ADAPTER.versionFrom), /^v\d+\.\d+\.\d+$/);
  });

  it('are of the Kubernetes version that K3s in Docker has', async () => {
    const goMod = await readFile(join(CONTROL_PLANE.folder, 'go.mod'), 'utf8');
    assert.equal(K3S_IMAGE, `rancher/k3s:${requiredVersion(goMod, CONTROL_PLANE.versionFrom)}-k3s1`);
  });

  it('say which module a version is missing of', () => {
    assert.throws(() => requiredVersion('module x\n', 'k8s.io/kubernetes'), /k8s\.io\/kubernetes/);
  });
});
