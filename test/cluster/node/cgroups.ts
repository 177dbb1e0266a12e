import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const REMOVE_DEADLINE_MS = 4_000;
/** What kubelet needs of a unified hierarchy. */
const CONTROLLERS = '+cpu +cpuset +memory +pids';
/**
 * Eight times the usual share of the machine's processors, as version 1 and version 2 write it. A node is otherwise one
 * group beside the others, and all of its pods together would get what a single thread of a test gets.
 */
const PROCESSOR_SHARES = { 'cpu.shares': '8192', 'cpu.weight': '800' };

/**
 * Where the hierarchies of control groups are mounted: one of version 2, or several of version 1, beside which one of
 * version 2 may stand that has no controllers.
 *
 * @param mounts the text of /proc/self/mounts
 */
export function cgroupMounts(mounts: string): readonly string[] {
  const rows = mounts.split('\n').map((line) => line.split(' '));
  return rows.filter(([, , type = '']) => type === 'cgroup' || type === 'cgroup2').map(([, folder = '']) => folder);
}

/** Makes a group of that name in every hierarchy: kubelet puts all of its pods below it. */
export async function createGroups(mounts: readonly string[], name: string): Promise<void> {
  for (const mount of mounts) {
    // In version 2 a group's controllers are those that its parent hands down; kubelet says what it misses.
    if (mounts.length === 1) await writeFile(join(mount, 'cgroup.subtree_control'), CONTROLLERS).catch(() => {});
    await mkdir(join(mount, name), { recursive: true });
    for (const [file, shares] of Object.entries(PROCESSOR_SHARES)) {
      // 'r+': only where the hierarchy has it.
      await writeFile(join(mount, name, file), shares, { flag: 'r+' }).catch(ignoreMissing);
    }
  }
}

/** Removes the groups with all below them; their processes have to be gone, which the kernel notices a little later. */
export async function removeGroups(mounts: readonly string[], name: string): Promise<void> {
  const deadline = performance.now() + REMOVE_DEADLINE_MS;
  for (;;) {
    const results = await Promise.allSettled(mounts.map((mount) => removeTree(join(mount, name))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    if (performance.now() > deadline) throw failed.reason;
    await delay(50);
  }
}

// A group's files cannot be unlinked: they go with its folder.
async function removeTree(folder: string): Promise<void> {
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await removeTree(join(folder, entry.name));
    }
    await rmdir(folder);
  } catch (error) {
    ignoreMissing(error);
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
