import { mkdir } from 'node:fs/promises';
import { extract, type ReadEntry } from 'tar';
import { errorMessage, ModelFailure } from '../../failures.ts';
import { MAX_WEIGHTS_BYTES } from '../model-content.ts';
import { openModelFile } from '../model-files.ts';
import type { NpmUri } from './npm-uri.ts';

export interface UnpackOptions {
  /** A gzipped tarball, already verified. */
  readonly tarball: string;
  readonly uri: NpmUri;
  /** Folder to unpack into; it is made. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const MAX_FILES = 10_000;

/**
 * Unpacks the regular files of the model's folder from a package; links and everything else in it are left out, and
 * tar itself refuses names that lead out of the folder.
 *
 * @throws ModelFailure `ModelNotFound` where the package has no such file, `FetchFailed`
 */
export async function unpackModel({ tarball, uri, directory, signal }: UnpackOptions): Promise<void> {
  const { name, version, file } = uri;
  const prefix = uri.directory === '' ? '' : `${uri.directory}/`;
  let files = 0;
  let bytes = 0;
  const wanted = (path: string, entry: ReadEntry) => {
    if (signal.aborted || (entry.type !== 'File' && entry.type !== 'OldFile')) return false;
    if (!belowTop(path).startsWith(prefix)) return false;
    files += 1;
    bytes += entry.size;
    return files <= MAX_FILES && bytes <= MAX_WEIGHTS_BYTES;
  };
  await mkdir(directory, { recursive: true });
  try {
    await extract({
      file: tarball,
      cwd: directory,
      // The package's top folder, which is mostly called "package", and the folders above the model.
      strip: 1 + prefix.split('/').length - 1,
      filter: (path, entry) => 'type' in entry && wanted(path, entry as ReadEntry),
    });
  } catch (error) {
    throw new ModelFailure('FetchFailed', `Could not unpack ${name}@${version}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  signal.throwIfAborted();
  if (files > MAX_FILES || bytes > MAX_WEIGHTS_BYTES) {
    throw new ModelFailure(
      'FetchFailed',
      `${prefix || 'The top folder'} of ${name}@${version} is larger than ${MAX_FILES} files or ${MAX_WEIGHTS_BYTES} bytes: name the folder that holds the model only`,
    );
  }
  await using model = await openModelFile(directory, file);
  if (model === undefined) {
    throw new ModelFailure('ModelNotFound', `The package ${name}@${version} has no file ${prefix}${file}`);
  }
}

function belowTop(path: string): string {
  const plain = path.replace(/^\.\//, '');
  return plain.slice(plain.indexOf('/') + 1);
}
