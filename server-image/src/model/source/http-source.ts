import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelFailure } from '../../failures.ts';
import { parseModelJson } from '../format/model-json.ts';
import { LoadLimit } from '../load-limit.ts';
import { MAX_JSON_BYTES, MAX_WEIGHTS_BYTES } from '../model-content.ts';
import { splitModelPath } from '../model-uri.ts';
import { MODEL_FILE, SIDE_FILES } from '../safe-path.ts';
import { type DownloadContext, download, MISSING, shown } from './download.ts';
import type { FetchOptions, ModelSource } from './model-source.ts';
import type { ModelStore, Validators } from './model-store.ts';

/** Weights files of one model that are fetched at the same time. */
const FILES_AT_ONCE = 4;
/** Object stores answer 403 for what is not there, to whoever may not list the bucket. */
const SIDE_FILE_MISSING: ReadonlySet<number> = new Set([...MISSING, 403]);

/**
 * `http://…` and `https://…`: the folder of a model or its .json file. The weights, and task.json and warmup.json where
 * the host has them, lie beside it; the URI's query is sent with each of them.
 *
 * With a digest, content that is in the store already is not fetched. Without one the host is asked each time whether
 * its files changed (ETag, else Last-Modified), and what did not change is taken from the store; a host that gives
 * neither is asked for everything again. What the host cannot be asked about is never served from the store.
 */
export function httpSource(store: ModelStore, context: DownloadContext): ModelSource {
  return {
    async fetch({ text }, options) {
      const { digest, signal } = options;
      const url = modelUrl(text);
      const pinned = digest === undefined ? undefined : await store.find(digest, signal);
      if (pinned !== undefined) return pinned;
      const remembered = await store.recall(text);
      const former = remembered === undefined ? undefined : await store.find(remembered.digest, signal);
      await using partial = await store.partial();
      const run = new Fetching(context, url, partial.directory, options);
      if (former !== undefined) run.reuse(former.directory, remembered?.validators ?? {});
      await run.all();
      const added = await store.add({ directory: partial.directory, file: MODEL_FILE }, signal);
      await store.remember({ uri: text, digest: added.digest, validators: run.validators });
      return added.location;
    },
  };
}

/** One fetching of one model's files. */
class Fetching {
  /** What the host said of each file, by its path. */
  readonly validators: Record<string, Validators> = {};
  readonly #context: DownloadContext;
  readonly #modelUrl: URL;
  readonly #directory: string;
  readonly #options: FetchOptions;
  #former: { readonly directory: string; readonly validators: Readonly<Record<string, Validators>> } | undefined;
  readonly #bytesOf = new Map<string, number>();
  #bytesTotal: number | undefined;

  constructor(context: DownloadContext, modelUrl: URL, directory: string, options: FetchOptions) {
    this.#context = context;
    this.#modelUrl = modelUrl;
    this.#directory = directory;
    this.#options = options;
  }

  /** Takes files that did not change from a folder of the store. */
  reuse(directory: string, validators: Readonly<Record<string, Validators>>): void {
    this.#former = { directory, validators };
  }

  async all(): Promise<void> {
    const { signal } = this.#options;
    if (!(await this.#file(MODEL_FILE, this.#modelUrl, MAX_JSON_BYTES))) {
      throw new ModelFailure('ModelNotFound', `There is no ${shown(this.#modelUrl)}`);
    }
    const text = await readFile(join(this.#directory, MODEL_FILE), 'utf8');
    const { weightsPaths, weightsBytes } = parseModelJson(text, shown(this.#modelUrl));
    this.#bytesTotal = weightsBytes === undefined ? undefined : weightsBytes + Buffer.byteLength(text);
    const limit = new LoadLimit(FILES_AT_ONCE);
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const weights = [...new Set(weightsPaths)].map((path) => limit.run(() => this.#weights(path, either), either));
    const sides = SIDE_FILES.map((path) => limit.run(() => this.#side(path, either), either));
    try {
      await Promise.all([...weights, ...sides]);
    } catch (error) {
      // The folder goes when this returns: nobody may still write into it.
      failed.abort(error);
      await Promise.allSettled([...weights, ...sides]);
      throw error;
    }
  }

  async #weights(path: string, signal: AbortSignal): Promise<void> {
    const url = this.#beside(path);
    if (await this.#file(path, url, MAX_WEIGHTS_BYTES, signal)) return;
    throw new ModelFailure(
      'ModelNotFound',
      `${shown(this.#modelUrl)} names the weights file ${path}: no ${shown(url)}`,
    );
  }

  async #side(path: string, signal: AbortSignal): Promise<void> {
    await this.#file(path, this.#beside(path), MAX_JSON_BYTES, signal);
  }

  /** @returns whether the host has the file */
  async #file(path: string, url: URL, maxBytes: number, signal = this.#options.signal): Promise<boolean> {
    const target = join(this.#directory, path);
    const validators = this.#former?.validators[path];
    const optional = SIDE_FILES.some((side) => side === path);
    const result = await download(this.#context, {
      url,
      target,
      validators,
      maxBytes,
      missing: optional ? SIDE_FILE_MISSING : MISSING,
      signal,
      onStart: () => this.#bytesOf.set(path, 0),
      onChunk: (chunk) => this.#progress(path, chunk.byteLength),
    });
    if (result.status === 'missing') return false;
    if (result.status === 'unchanged' && validators !== undefined && this.#former !== undefined) {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(this.#former.directory, path), target);
      this.validators[path] = validators;
      return true;
    }
    if (result.status !== 'fetched') return false;
    if (optional && /^text\/html\b/i.test(result.contentType)) {
      // Some hosts answer every path with a page.
      await rm(target);
      return false;
    }
    if (Object.keys(result.validators).length > 0) this.validators[path] = result.validators;
    return true;
  }

  #progress(path: string, bytes: number): void {
    this.#bytesOf.set(path, (this.#bytesOf.get(path) ?? 0) + bytes);
    const done = [...this.#bytesOf.values()].reduce((sum, value) => sum + value, 0);
    this.#options.onProgress(done, this.#bytesTotal);
  }

  #beside(path: string): URL {
    const url = new URL(path.split('/').map(encodeURIComponent).join('/'), this.#modelUrl);
    url.search = this.#modelUrl.search;
    return url;
  }
}

/** The URL of the model's .json file. */
function modelUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new ModelFailure('InvalidConfig', `uri ${JSON.stringify(text)} is no URL: write https://host/folder`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ModelFailure('InvalidConfig', `uri of ${url.host} has a user or password in it: this server sends none`);
  }
  const { directory, file } = splitModelPath(url.pathname);
  url.pathname = directory.endsWith('/') ? `${directory}${file}` : `${directory}/${file}`;
  url.hash = '';
  return url;
}
