import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { cgroupMounts, createGroups, removeGroups } from './cgroups.ts';

describe('cgroupMounts', () => {
  for (const { because, mounts, expected } of [
    {
      because: 'every hierarchy of version 1 counts, and the one of version 2 beside them, where runc makes groups too',
      mounts: [
        'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
        'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
        'cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0',
        'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
      ],
      expected: ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'],
    },
    {
      because: 'a unified hierarchy stands alone',
      mounts: ['proc /proc proc rw 0 0', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0', ''],
      expected: ['/sys/fs/cgroup'],
    },
  ]) {
    it(because, () => assert.deepEqual(cgroupMounts(mounts.join('\n')), expected));
  }
});

describe('the groups of a node', () => {
  let hierarchies: string;
  beforeEach(async () => {
    hierarchies = await mkdtemp(join(tmpdir(), 'modelservice-cgroups-'));
    await Promise.all(['cpu', 'memory'].map((name) => mkdir(join(hierarchies, name))));
  });
  afterEach(() => rm(hierarchies, { recursive: true }));

  it('are made in every hierarchy, and go with all below them', async () => {
    const mounts = ['cpu', 'memory'].map((name) => join(hierarchies, name));
    await createGroups(mounts, 'node');
    await mkdir(join(hierarchies, 'cpu', 'node', 'kubepods', 'pod1'), { recursive: true });
    assert.deepEqual(await readdir(join(hierarchies, 'memory')), ['node']);

    await removeGroups(mounts, 'node');
    assert.deepEqual(await Promise.all(mounts.map((mount) => readdir(mount))), [[], []]);
  });

  it('get more of the processors than a thread, where the hierarchy shares them out', async () => {
    // What the kernel makes appear in a new group.
    await mkdir(join(hierarchies, 'cpu', 'node'));
    await writeFile(join(hierarchies, 'cpu', 'node', 'cpu.shares'), '1024');
    await createGroups([join(hierarchies, 'cpu'), join(hierarchies, 'memory')], 'node');
    assert.equal(await readFile(join(hierarchies, 'cpu', 'node', 'cpu.shares'), 'utf8'), '8192');
    assert.deepEqual(await readdir(join(hierarchies, 'memory', 'node')), []);
  });

  it('may be gone already', async () => {
    await removeGroups([join(hierarchies, 'cpu')], 'node');
  });
});
