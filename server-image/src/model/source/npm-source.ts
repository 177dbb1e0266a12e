import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultUrl } from 'registry-url';
import { z } from 'zod';
import { ModelFailure } from '../../failures.ts';
import { problemsOf } from '../../zod-problems.ts';
import { MAX_WEIGHTS_BYTES } from '../model-content.ts';
import { type DownloadContext, download, shown } from './download.ts';
import type { FetchOptions, ModelSource } from './model-source.ts';
import type { ModelStore } from './model-store.ts';
import { strongestIntegrity } from './npm-integrity.ts';
import { type NpmUri, parseNpmUri } from './npm-uri.ts';
import { unpackModel } from './unpack-model.ts';

export interface NpmRegistry {
  /** With a `/` at its end. */
  readonly url: string;
  /** A bearer token, sent to this registry's own origin only. */
  readonly token: string | undefined;
}

/** Packages with thousands of versions have a document of some ten megabytes. */
const MAX_DOCUMENT_BYTES = 128 * 1024 * 1024;
/** Where npm's own registry says that its tarballs lie; a mirror often passes the address on unchanged. */
const PUBLIC_HOST = new URL(defaultUrl).hostname;

const Packument = z.object({ versions: z.record(z.string(), z.unknown()) });
const Version = z.object({
  dist: z.object({ tarball: z.url(), integrity: z.string().optional(), shasum: z.string().optional() }),
});

/**
 * `npm:package@version/path`: a folder, or a model's .json file, in a package of the npm registry. A version never
 * changes, so one that was fetched once is taken from the store without asking the registry.
 */
export function npmSource(store: ModelStore, context: DownloadContext, registry: NpmRegistry): ModelSource {
  return {
    async fetch({ text }, options) {
      const { digest, signal } = options;
      const uri = parseNpmUri(text);
      const known = digest ?? (await store.recall(text))?.digest;
      const found = known === undefined ? undefined : await store.find(known, signal);
      if (found !== undefined) return found;
      await using partial = await store.partial();
      const dist = await findDist(context, registry, uri, partial.directory, signal);
      const tarball = join(partial.directory, 'package.tgz');
      await fetchTarball(context, registry, dist, tarball, options);
      const directory = join(partial.directory, 'model');
      await unpackModel({ tarball, uri, directory, signal });
      const added = await store.add({ directory, file: uri.file }, signal);
      await store.remember({ uri: text, digest: added.digest, validators: {} });
      return added.location;
    },
  };
}

interface Dist {
  readonly url: URL;
  readonly algorithm: string;
  /** Base64. */
  readonly hash: string;
}

async function findDist(
  context: DownloadContext,
  registry: NpmRegistry,
  { name, version }: NpmUri,
  directory: string,
  signal: AbortSignal,
): Promise<Dist> {
  // npm asks for a scoped package with its slash escaped, and not every registry takes it otherwise.
  const url = new URL(name.replace('/', '%2f'), registry.url);
  const target = join(directory, 'package-document.json');
  const result = await download(context, {
    url,
    target,
    headers: { accept: 'application/vnd.npm.install-v1+json, application/json;q=0.8', ...authorization(registry, url) },
    maxBytes: MAX_DOCUMENT_BYTES,
    signal,
  });
  if (result.status !== 'fetched') {
    throw new ModelFailure('ModelNotFound', `The registry ${shown(new URL(registry.url))} has no package ${name}`);
  }
  const document = Packument.safeParse(parse(await readFile(target, 'utf8'), url));
  if (!document.success) throw unusable(url, problemsOf(document.error));
  if (!Object.hasOwn(document.data.versions, version)) {
    throw new ModelFailure('ModelNotFound', `The package ${name} has no version ${version} in the registry`);
  }
  const parsed = Version.safeParse(document.data.versions[version]);
  if (!parsed.success) throw unusable(url, problemsOf(parsed.error));
  const { tarball, ...hashes } = parsed.data.dist;
  const integrity = strongestIntegrity(hashes);
  if (integrity === undefined) throw unusable(url, `the version ${version} has no integrity hash to check it by`);
  return { url: tarballUrl(tarball, registry), ...integrity };
}

async function fetchTarball(
  context: DownloadContext,
  registry: NpmRegistry,
  { url, algorithm, hash }: Dist,
  target: string,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  let hasher = createHash(algorithm);
  let done = 0;
  let total: number | undefined;
  const result = await download(context, {
    url,
    target,
    headers: authorization(registry, url),
    maxBytes: MAX_WEIGHTS_BYTES,
    signal,
    onStart(bytes) {
      hasher = createHash(algorithm);
      done = 0;
      total = bytes;
    },
    onChunk(chunk) {
      hasher.update(chunk);
      done += chunk.byteLength;
      onProgress(done, total);
    },
  });
  if (result.status !== 'fetched') throw new ModelFailure('ModelNotFound', `The registry has no ${shown(url)}`);
  const actual = hasher.digest('base64');
  if (actual !== hash) {
    throw new ModelFailure(
      'FetchFailed',
      `The package ${shown(url)} is damaged or was exchanged: its ${algorithm} is ${actual}, and the registry says ${hash}`,
    );
  }
}

/** As npm does by default (`replace-registry-host=npmjs`): a mirror is asked for what the public registry names. */
function tarballUrl(tarball: string, registry: NpmRegistry): URL {
  const url = new URL(tarball);
  if (url.hostname !== PUBLIC_HOST) return url;
  const own = new URL(registry.url);
  return new URL(`${own.pathname.replace(/\/$/, '')}${url.pathname}`, own.origin);
}

function authorization({ url: registry, token }: NpmRegistry, url: URL): Record<string, string> {
  if (token === undefined || url.origin !== new URL(registry).origin) return {};
  return { authorization: `Bearer ${token}` };
}

function parse(text: string, url: URL): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable(url, 'it is not JSON');
  }
}

function unusable(url: URL, what: string): ModelFailure {
  return new ModelFailure('FetchFailed', `The registry's answer to ${shown(url)} is of no use: ${what}`);
}
