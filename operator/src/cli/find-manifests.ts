import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file that may hold manifests. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
  /** Named by the user, and not found in a folder: it must hold a manifest. */
  readonly named: boolean;
}

export interface FoundManifests {
  readonly files: readonly ManifestFile[];
  /** Every folder in which a change may change the files. */
  readonly folders: readonly string[];
  /** The paths that are not there. */
  readonly missing: readonly string[];
}

/** Reads the files named, and every YAML file in and below the folders named, but for `node_modules` and `.hidden`. */
export async function findManifests(paths: readonly string[]): Promise<FoundManifests> {
  const files = new Map<string, ManifestFile>();
  const folders = new Set<string>();
  const missing: string[] = [];

  async function visit(folder: string): Promise<void> {
    folders.add(folder);
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) await visit(path);
      else if (isManifestName(entry.name)) await add(path, false);
    }
  }

  async function add(path: string, named: boolean): Promise<void> {
    const text = await unlessMissing(readFile(path, 'utf8'));
    if (text !== undefined) files.set(path, { path, text, named: named || files.get(path)?.named === true });
    else if (named) missing.push(path);
  }

  for (const path of paths) {
    const kind = await unlessMissing(stat(path));
    if (kind?.isDirectory()) {
      await unlessMissing(visit(path));
      continue;
    }
    // An editor may be replacing it at this moment: its folder tells when it is back.
    folders.add(dirname(path));
    await add(path, true);
  }
  return { files: [...files.values()], folders: [...folders], missing };
}

/** Whether a file of this name is looked into when its folder is given. */
export function isManifestName(name: string): boolean {
  return /\.ya?ml$/.test(name) && !name.startsWith('.');
}

/** Not there, or a link to a folder or in a circle. */
const NO_FILE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP']);

/** Files come and go while a folder is read. */
async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (NO_FILE.has(code)) return undefined;
    throw error;
  }
}
