import { createHash } from 'node:crypto';

/** One file of a model, as the digest sees it. */
export interface DigestedFile {
  /** Relative to the model's root, with `/`. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

/**
 * The digest of a model's content: sha256 of one line `<sha256 hex>  <path>\n` for each file, sorted by the path's
 * bytes. It is what `sha256sum` prints of the files, in `LC_ALL=C sort` order of their names, hashed once more. Test
 * vectors: server-image/test-vectors/digest.json.
 */
export function modelDigest(files: readonly DigestedFile[]): Digest {
  const lines = files
    .map(({ path, sha256 }) => ({ bytes: Buffer.from(path), line: `${sha256}  ${path}\n` }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ line }) => line);
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}
