import type { EngineModel } from '../engine/engine-messages.ts';
import { ModelFailure } from '../failures.ts';
import { type Digest, type DigestedFile, modelDigest } from './digest.ts';
import { type ModelJsonFile, parseJson, parseModelJson } from './format/model-json.ts';
import { openModelFile } from './model-files.ts';
import { MODEL_FILE, SIDE_FILES } from './safe-path.ts';

/** Larger than any topology that was seen, and within what one JavaScript string holds. */
export const MAX_JSON_BYTES = 256 * 1024 * 1024;
/** All weights together; TensorFlow.js itself gives up earlier. */
export const MAX_WEIGHTS_BYTES = 4 * 1024 * 1024 * 1024;

/** Where a model lies on this machine. */
export interface ModelLocation {
  readonly directory: string;
  /** The model JSON's name in that folder; mostly `model.json`. */
  readonly file: string;
}

/** A model as it was read: what the engine needs, and the digest of exactly these bytes. */
export interface ModelContent extends EngineModel {
  readonly digest: Digest;
  /** The parsed warmup.json of the model's folder. */
  readonly warmup: unknown;
  /** The model's files under the names that the digest gives them. */
  readonly paths: readonly string[];
}

/**
 * Reads a model from its folder, each byte once, so that what is loaded is what was hashed.
 *
 * @throws ModelFailure `ModelNotFound`, `InvalidModel`, `FetchFailed`
 */
export async function readModelContent(location: ModelLocation, signal: AbortSignal): Promise<ModelContent> {
  const { directory, file } = location;
  const model = await readSmallFile(directory, file, signal);
  if (model === undefined) throw new ModelFailure('ModelNotFound', notFound(location));
  const parsed = parseModelJson(model.text, file);
  const files: DigestedFile[] = [{ path: MODEL_FILE, sha256: model.sha256 }];
  const weights = await readWeights(location, parsed, files, signal);
  let warmup: unknown;
  for (const name of SIDE_FILES) {
    if (name === file) continue;
    const side = await readSmallFile(directory, name, signal);
    if (side === undefined) continue;
    files.push({ path: name, sha256: side.sha256 });
    if (name === 'warmup.json') warmup = parseJson(side.text, name);
  }
  const paths = files.map(({ path }) => path);
  return { digest: modelDigest(files), format: parsed.format, json: parsed.json, weights, warmup, paths };
}

async function readWeights(
  { directory, file }: ModelLocation,
  { weightsPaths, weightsBytes }: ModelJsonFile,
  files: DigestedFile[],
  signal: AbortSignal,
): Promise<SharedArrayBuffer> {
  await using stack = new AsyncDisposableStack();
  const opened = [];
  for (const path of weightsPaths) {
    const weights = await openModelFile(directory, path);
    if (weights === undefined) {
      throw new ModelFailure('ModelNotFound', `${file} names the weights file ${path}, which is not beside it`);
    }
    opened.push(stack.use(weights));
  }
  const total = opened.reduce((sum, { bytes }) => sum + bytes, 0);
  checkSize(total, weightsBytes, file);
  const buffer = new SharedArrayBuffer(total);
  const seen = new Set<string>();
  let offset = 0;
  for (const weights of opened) {
    const sha256 = await weights.readInto(new Uint8Array(buffer, offset, weights.bytes), signal);
    offset += weights.bytes;
    if (!seen.has(weights.path)) files.push({ path: weights.path, sha256 });
    seen.add(weights.path);
  }
  return buffer;
}

function checkSize(total: number, expected: number | undefined, file: string): void {
  if (total > MAX_WEIGHTS_BYTES) {
    throw new ModelFailure('InvalidModel', `The weights have ${total} bytes; this server loads ${MAX_WEIGHTS_BYTES}`);
  }
  if (expected !== undefined && total !== expected) {
    throw new ModelFailure(
      'InvalidModel',
      `The weights files have ${total} bytes and the manifest in ${file} describes ${expected}: a file is cut off or of another model`,
    );
  }
}

/** A JSON file of a model, with its sha256 in hex; undefined where there is none. */
async function readSmallFile(directory: string, path: string, signal: AbortSignal) {
  await using file = await openModelFile(directory, path);
  if (file === undefined) return undefined;
  if (file.bytes > MAX_JSON_BYTES) {
    throw new ModelFailure('InvalidModel', `${path} has ${file.bytes} bytes; at most ${MAX_JSON_BYTES} are read`);
  }
  const bytes = Buffer.alloc(file.bytes);
  const sha256 = await file.readInto(bytes, signal);
  return { text: bytes.toString('utf8'), sha256 };
}

function notFound({ directory, file }: ModelLocation): string {
  return `There is no ${file} in ${directory}: the URI names the folder of a TensorFlow.js model, or its .json file`;
}
