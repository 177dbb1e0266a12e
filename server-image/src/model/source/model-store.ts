import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type ModelLocation, readModelContent } from '../model-content.ts';
import { MODEL_FILE } from '../safe-path.ts';

const Validators = z.object({ etag: z.string().optional(), lastModified: z.string().optional() });
const Remembered = z.object({
  uri: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  validators: z.record(z.string(), Validators),
});

/** What a host said of one file, for asking whether it changed. */
export type Validators = z.infer<typeof Validators>;

/** What lay under a URI the last time that it was fetched. */
export type Remembered = z.infer<typeof Remembered>;

/** A model in the store. */
export interface Stored {
  readonly digest: string;
  readonly location: ModelLocation;
}

/**
 * Fetched models on disk, by the digest of their content; any number of processes may use one at the same time.
 *
 * - `sha256/<hex>/`: the files of one model, under the names in its digest; never changed once it is there
 * - `uris/<sha256 of the URI>.json`: the digest that a URI had when it was last fetched
 * - `partial/<uuid>/`: what is being fetched
 *
 * Nothing is ever removed but damaged models: the folder may be deleted while no server runs.
 */
export class ModelStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The model of this digest, read and hashed again: one that was damaged on disk is removed and not found. */
  async find(digest: string, signal: AbortSignal): Promise<ModelLocation | undefined> {
    const location = { directory: this.#folder(digest), file: MODEL_FILE };
    try {
      if ((await readModelContent(location, signal)).digest === digest) return location;
    } catch {
      signal.throwIfAborted();
    }
    await rm(location.directory, { recursive: true, force: true });
    return undefined;
  }

  /** An empty folder to fetch into, removed when it is disposed. It is on the file system of the store. */
  async partial(): Promise<{ readonly directory: string } & AsyncDisposable> {
    const directory = join(this.#root, 'partial', randomUUID());
    await mkdir(directory, { recursive: true });
    return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
  }

  /** Moves a fetched model into the store, and of its folder only the files that belong to it. */
  async add({ directory, file }: ModelLocation, signal: AbortSignal): Promise<Stored> {
    const { digest, paths } = await readModelContent({ directory, file }, signal);
    await using stage = await this.partial();
    for (const path of paths) {
      const target = join(stage.directory, path);
      await mkdir(dirname(target), { recursive: true });
      await rename(join(directory, path === MODEL_FILE ? file : path), target);
    }
    const folder = this.#folder(digest);
    await mkdir(dirname(folder), { recursive: true });
    try {
      await rename(stage.directory, folder);
    } catch (error) {
      // Another process was faster; what lies there has the same digest.
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
    return { digest, location: { directory: folder, file: MODEL_FILE } };
  }

  async recall(uri: string): Promise<Remembered | undefined> {
    try {
      const parsed = Remembered.safeParse(JSON.parse(await readFile(this.#uriFile(uri), 'utf8')));
      return parsed.success ? parsed.data : undefined;
    } catch {
      // What cannot be read is fetched again, and written anew.
      return undefined;
    }
  }

  async remember(record: Remembered): Promise<void> {
    await using stage = await this.partial();
    const written = join(stage.directory, 'uri.json');
    const file = this.#uriFile(record.uri);
    await writeFile(written, JSON.stringify(record));
    await mkdir(dirname(file), { recursive: true });
    await rename(written, file);
  }

  #folder(digest: string): string {
    return join(this.#root, 'sha256', digest.slice('sha256:'.length));
  }

  #uriFile(uri: string): string {
    return join(this.#root, 'uris', `${createHash('sha256').update(uri).digest('hex')}.json`);
  }
}
