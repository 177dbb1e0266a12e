import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, ModelFailure } from '../failures.ts';

/** Bytes read and hashed at a time: between two of them the thread answers requests. */
const CHUNK_BYTES = 1024 * 1024;

/** A pipe is opened at once, and refused by its type: a blocking open would wait for a writer for ever. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A regular file of a model, open for reading. */
export interface ModelFile extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
  /** Reads the whole file into `target`, which has exactly its size, and gives its sha256 in hex. */
  readInto(target: Uint8Array, signal: AbortSignal): Promise<string>;
}

/**
 * Opens a file below the folder of a model. Symbolic links on the way are refused: a digest says nothing of what they
 * will point at tomorrow.
 *
 * @param path relative to `directory`, with `/`, already checked to be plain
 * @returns undefined where there is no such file
 * @throws ModelFailure `InvalidModel` for a link or anything but a regular file, `FetchFailed` where reading fails
 */
export async function openModelFile(directory: string, path: string): Promise<ModelFile | undefined> {
  const file = join(directory, path);
  try {
    await refuseLinks(directory, path);
    const handle = await open(file, FLAGS);
    const bytes = await sizeOf(handle, file);
    return {
      path,
      bytes,
      readInto: (target, signal) => readInto(handle, file, target, signal),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof ModelFailure) throw error;
    throw new ModelFailure('FetchFailed', `Could not open ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Closes what is no regular file. */
async function sizeOf(handle: FileHandle, file: string): Promise<number> {
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return stats.size;
    throw new ModelFailure('InvalidModel', `${file} is not a regular file`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function refuseLinks(directory: string, path: string): Promise<void> {
  let current = directory;
  for (const segment of path.split('/')) {
    current = join(current, segment);
    if ((await lstat(current)).isSymbolicLink()) {
      throw new ModelFailure('InvalidModel', `${current} is a symbolic link: put the file itself there`);
    }
  }
}

async function readInto(handle: FileHandle, file: string, target: Uint8Array, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  let offset = 0;
  while (offset < target.byteLength) {
    signal.throwIfAborted();
    const chunk = target.subarray(offset, offset + CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, chunk.byteLength, offset);
    if (bytesRead === 0) throw new ModelFailure('InvalidModel', `${file} became shorter while it was read`);
    hash.update(chunk.subarray(0, bytesRead));
    offset += bytesRead;
  }
  return hash.digest('hex');
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
