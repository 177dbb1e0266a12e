import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelDigest } from '../../server-image/src/model/digest.ts';

const PINNED = /^( *digest: )sha256:[0-9a-f]{64}$/m;

/** The digest of a model that {@link saveLayersModel} wrote, as `modelservice digest` prints it. */
export async function digestOfSaved(folder: string): Promise<string> {
  const files = ['model.json', 'weights.bin'].map(async (path) => {
    const content = await readFile(join(folder, path));
    return { path, sha256: createHash('sha256').update(content).digest('hex') };
  });
  return modelDigest(await Promise.all(files));
}

/** Puts the digest in the place of the one that the manifest pins, and touches nothing else of the file. */
export async function pinDigest(manifest: string, digest: string): Promise<void> {
  const text = await readFile(manifest, 'utf8');
  if (!PINNED.test(text)) throw new Error(`Could not pin the digest in ${manifest}: it has no line "digest: sha256:…"`);
  await writeFile(manifest, text.replace(PINNED, `$1${digest}`));
}
