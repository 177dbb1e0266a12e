import type { FoundManifests } from './find-manifests.ts';
import type { ManifestCheck } from './manifest-schema.ts';
import { type ManifestContent, type ManifestProblem, readManifest } from './read-manifest.ts';

export interface ManifestSet {
  /** By the file's path. Of a file with problems: what it held when it had none, where there was such a time. */
  readonly contents: ReadonlyMap<string, ManifestContent>;
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads all files; one that was broken since `before` keeps the content that it had. A file that held manifests must go
 * on to hold one, for an empty file may be one that somebody begins to write: who wants to stop a model removes it.
 */
export function readManifests(
  found: FoundManifests,
  check: ManifestCheck,
  before: ReadonlyMap<string, ManifestContent>,
): ManifestSet {
  const contents = new Map<string, ManifestContent>();
  const problems: ManifestProblem[] = [];
  const keep = (path: string): void => {
    const former = before.get(path);
    if (former !== undefined) contents.set(path, former);
  };
  for (const path of found.missing) {
    problems.push({ path, message: 'there is no such file or folder' });
    keep(path);
  }
  for (const file of found.files) {
    const former = before.get(file.path);
    const isOurs = former !== undefined && former.services.length + former.configMaps.length > 0;
    const read = readManifest({ ...file, named: file.named || isOurs }, check);
    if (read.content !== undefined) contents.set(file.path, read.content);
    else {
      problems.push(...read.problems);
      keep(file.path);
    }
  }
  return { contents, problems };
}

/** One line for each problem, such as `mnist.yaml, ModelService/mnist: spec.model.version must be …`. */
export function problemLine({ path, object, field, message }: ManifestProblem): string {
  return `${path}${object === undefined ? '' : `, ${object}`}: ${field === undefined ? '' : `${field}: `}${message}`;
}
