import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { K3S_IMAGE } from './docker-cluster.ts';
import {
  buildKey,
  CONTROL_PLANE,
  HELM,
  METRICS_SERVER,
  NODE,
  PROMETHEUS_ADAPTER,
  requiredVersion,
} from './go-modules.ts';

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
    ['another source is another build', buildKey('mod', 'sum', 'linux-x64', ['package main'])],
    ['text does not move between the files unnoticed', buildKey('mods', 'um', 'linux-x64')],
  ] as const) {
    it(because, () => assert.notEqual(other, base));
  }
});

describe('the pinned Go modules', () => {
  for (const module of [CONTROL_PLANE, NODE, HELM, METRICS_SERVER]) {
    it(`names ${module.binaries.map(({ name }) => name).join(', ')} under "tool" in its go.mod`, async () => {
      const goMod = await readFile(join(module.folder, 'go.mod'), 'utf8');
      for (const { package: source } of module.binaries)
        assert.match(goMod, new RegExp(`^(tool )?\\s*${source}$`, 'm'));
      assert.match(requiredVersion(goMod, module.versionFrom), /^v\d+\.\d+\.\d+$/);
    });
  }

  for (const module of [PROMETHEUS_ADAPTER, METRICS_SERVER]) {
    const [{ name } = { name: '' }] = module.binaries;
    it(`give ${name} the Kubernetes libraries of the control plane, which are compiled already`, async () => {
      const [plane = '', other = ''] = await Promise.all(
        [CONTROL_PLANE, module].map(({ folder }) => readFile(join(folder, 'go.mod'), 'utf8')),
      );
      const replaced = (goMod: string): readonly string[] => goMod.match(/^\tk8s\.io\S+ => .* v0\.\d+\.\d+$/gm) ?? [];
      assert.deepEqual(replaced(other), replaced(plane));
      assert.match(requiredVersion(other, module.versionFrom), /^v\d+\.\d+\.\d+$/);
    });
  }

  it('give metrics-server every other library of the control plane in the same version, so that nothing is compiled twice', async () => {
    const versions = async ({ folder }: { readonly folder: string }) =>
      new Map((await readFile(join(folder, 'go.mod'), 'utf8')).match(/^\t\S+ v\S+/gm)?.map((line) => pair(line)) ?? []);
    const plane = await versions(CONTROL_PLANE);
    const goMod = await readFile(join(METRICS_SERVER.folder, 'go.mod'), 'utf8');
    const replaced = [...goMod.matchAll(/^\t(\S+) => \1 (v\S+)$/gm)].filter(
      ([, name = '']) => !name.startsWith('k8s.io/'),
    );
    assert.ok(replaced.length > 30);
    for (const [, name = '', version] of replaced) assert.equal(version, plane.get(name), name);
  });

  it('are of the Kubernetes version that K3s in Docker has', async () => {
    const goMod = await readFile(join(CONTROL_PLANE.folder, 'go.mod'), 'utf8');
    assert.equal(K3S_IMAGE, `rancher/k3s:${requiredVersion(goMod, CONTROL_PLANE.versionFrom)}-k3s1`);
  });

  it('say which module a version is missing of', () => {
    assert.throws(() => requiredVersion('module x\n', 'k8s.io/kubernetes'), /k8s\.io\/kubernetes/);
  });
});

function pair(line: string): readonly [string, string] {
  const [name = '', version = ''] = line.trim().split(' ');
  return [name, version];
}
