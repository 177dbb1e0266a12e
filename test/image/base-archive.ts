import { access, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from '../cluster/build-lock.ts';
import { AUTHORITIES_FILE, type BaseRecipe } from './base-recipe.ts';
import { outputOf } from './command.ts';

/**
 * A tar of the files of a base image, made once; needs root.
 *
 * @param npm folder of npm's package
 * @returns its path
 */
export async function baseArchive(
  recipe: BaseRecipe,
  npm: string,
  { folder, name }: { readonly folder: string; readonly name: string },
): Promise<string> {
  const file = join(folder, `${name}.tar`);
  await mkdir(folder, { recursive: true });
  const waiting = (holder: number) => console.error(`Waiting for process ${holder}, which makes the same image.`);
  await withLock(`${file}.lock`, new AbortController().signal, waiting, async () => {
    if (await exists(file)) return;
    console.error(`Making a base image of ${recipe.suite}, once (about a minute), kept in ${folder}.`);
    const root = await mkdtemp(join(tmpdir(), 'modelservice-base-'));
    try {
      await fill(root, recipe, npm);
      const without = ['var/cache/apt/archives', 'var/lib/apt/lists'].map((path) => `--exclude=./${path}/*`);
      await outputOf('tar', ['--create', ...without, '--directory', root, '--file', `${file}.unfinished`, '.']);
      await rename(`${file}.unfinished`, file);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
  return file;
}

async function fill(root: string, { suite, mirror, npmrc, authorities }: BaseRecipe, npm: string): Promise<void> {
  // In a namespace of its own: what it mounts is gone with it, however it ends.
  await outputOf('unshare', ['--mount', 'debootstrap', '--variant=minbase', suite, root, mirror]);
  await cp(process.execPath, join(root, 'usr/local/bin/node'));
  await cp(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  await write('usr/local/etc/npmrc', npmrc);
  await write(AUTHORITIES_FILE, authorities);
  await write('etc/pip.conf', `[global]\ncert = ${AUTHORITIES_FILE}\n`);

  async function write(path: string, text: string): Promise<void> {
    const at = join(root, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, text);
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
