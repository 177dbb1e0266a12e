import type { BatchObserver } from '../batching/batch-observer.ts';
import type { ModelEntry } from '../config/server-config.ts';
import type { Engines } from '../engine/engines.ts';
import { asModelFailure, ModelFailure } from '../failures.ts';
import { LoadLimit } from './load-limit.ts';
import { type LoadedModelHandle, loadModel } from './load-model.ts';
import { readModelContent } from './model-content.ts';
import type { ModelProgress } from './model-progress.ts';
import { parseModelUri, type Scheme } from './model-uri.ts';
import { RetiringModel } from './retiring-model.ts';
import type { EngineName, ModelPhase, ModelRepository, ServedModel } from './served-model.ts';
import type { FetchOptions, ModelSource } from './source/model-source.ts';

/** Models that are fetched and loaded at the same time. */
const LOADS_AT_ONCE = 4;

export interface ModelManagerOptions {
  readonly engines: Engines;
  readonly sources: Readonly<Record<Scheme, ModelSource>>;
  /** Told of every step of every model, in order for each model. */
  onProgress(progress: ModelProgress): void;
  /** Who is told of the requests for a model. */
  observe(model: string, version: string): BatchObserver;
}

/** One name in the list, and what becomes of it. */
interface Slot {
  entry: ModelEntry;
  /** The state that requests see. */
  served: ServedModel;
  /** What serves now, if anything does. */
  handle: RetiringModel | undefined;
  /** Aborted when another entry takes the place of the one that loads. */
  loading: AbortController | undefined;
}

/** The models of this process: loads what the configuration lists, and changes what is served when the list changes. */
export class ModelManager implements ModelRepository {
  readonly #options: ModelManagerOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #limit = new LoadLimit(LOADS_AT_ONCE);
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: ModelManagerOptions) {
    this.#options = options;
  }

  get(name: string): ServedModel | undefined {
    return this.#slots.get(name)?.served;
  }

  list(): readonly ServedModel[] {
    return [...this.#slots.values()].map(({ served }) => served);
  }

  /**
   * Serves this list of models from now on. An entry that did not change is left alone, unless it had failed; a changed
   * one is loaded beside the old one, which serves on until the new one is ready, and also when that fails. What left
   * the list finishes its requests and goes.
   *
   * @returns when every model of the list is ready or has failed; a failure is told by `onProgress` and `get`
   */
  async apply(entries: readonly ModelEntry[]): Promise<void> {
    const names = new Set(entries.map(({ name }) => name));
    for (const [name, slot] of this.#slots) if (!names.has(name)) this.#remove(name, slot);
    await Promise.all(entries.map((entry) => this.#place(entry)));
  }

  /** Ends all loading and frees all models once their requests have finished. The engines are the caller's to close. */
  async close(): Promise<void> {
    for (const [name, slot] of this.#slots) this.#remove(name, slot, 0);
    await Promise.all(this.#retiring);
  }

  async #place(entry: ModelEntry): Promise<void> {
    const slot = this.#slots.get(entry.name) ?? this.#newSlot(entry);
    const unchanged = sameEntry(slot.entry, entry);
    if (unchanged && (slot.loading !== undefined || (slot.handle !== undefined && slot.served.failure === undefined))) {
      return;
    }
    slot.loading?.abort(new Error('The configuration changed'));
    const loading = new AbortController();
    slot.loading = loading;
    slot.entry = entry;
    if (slot.handle === undefined) slot.served = state(entry, 'Fetching');
    await this.#load(slot, entry, loading.signal);
    if (slot.loading === loading) slot.loading = undefined;
  }

  #newSlot(entry: ModelEntry): Slot {
    const slot = { entry, served: state(entry, 'Fetching'), handle: undefined, loading: undefined };
    this.#slots.set(entry.name, slot);
    return slot;
  }

  async #load(slot: Slot, entry: ModelEntry, signal: AbortSignal): Promise<void> {
    try {
      const loaded = await this.#limit.run(() => this.#fetchAndLoad(slot, entry, signal), signal);
      if (signal.aborted) {
        await loaded.unload();
        return;
      }
      const former = slot.handle;
      slot.handle = new RetiringModel(loaded);
      slot.served = { ...state(entry, 'Ready'), loaded: slot.handle.model };
      this.#tell(entry, 'Ready', facts(loaded));
      if (former !== undefined) this.#retire(former);
    } catch (error) {
      if (signal.aborted) return;
      const { reason, message } = asModelFailure(error, 'InvalidModel', `Could not load the model ${entry.name}`);
      const failure = { reason, message };
      slot.served = slot.handle === undefined ? { ...state(entry, 'Failed'), failure } : { ...slot.served, failure };
      this.#tell(entry, 'Failed', failure);
    }
  }

  async #fetchAndLoad(slot: Slot, entry: ModelEntry, signal: AbortSignal): Promise<LoadedModelHandle> {
    const enter = (phase: ModelPhase, details: Partial<ModelProgress> = {}) => {
      if (signal.aborted) return;
      if (slot.handle === undefined) slot.served = state(entry, phase);
      this.#tell(entry, phase, details);
    };
    enter('Fetching');
    const uri = parseModelUri(entry.uri);
    const location = await this.#options.sources[uri.scheme].fetch(uri, {
      digest: entry.digest,
      onProgress: inSteps((bytes) => enter('Fetching', bytes)),
      signal,
    });
    const content = await readModelContent(location, signal);
    const { digest, format } = content;
    enter('Verifying', { digest });
    verify(entry, digest, format);
    return loadModel(content, {
      name: entry.name,
      engine: entry.engine ?? 'Auto',
      engines: this.#options.engines,
      signal,
      batching: entry.batching,
      observer: this.#options.observe(entry.name, versionOf(entry)),
      readAgain: async () => {
        const again = await readModelContent(location, new AbortController().signal);
        verifyUnchanged(entry, digest, again.digest);
        return again;
      },
      onPhase: (phase, engine: EngineName) => enter(phase, { digest, format, engine }),
    });
  }

  #remove(name: string, slot: Slot, graceMs?: number): void {
    this.#slots.delete(name);
    slot.loading?.abort(new Error('The model left the configuration'));
    if (slot.handle !== undefined) this.#retire(slot.handle, graceMs);
    this.#tell(slot.entry, 'Removed', {});
  }

  #retire(handle: RetiringModel, graceMs?: number): void {
    const done = handle.retire(graceMs).finally(() => this.#retiring.delete(done));
    this.#retiring.add(done);
  }

  #tell(entry: ModelEntry, phase: ModelProgress['phase'], details: Partial<ModelProgress>): void {
    this.#options.onProgress({ model: entry.name, version: versionOf(entry), phase, ...details });
  }
}

function state(entry: ModelEntry, phase: ModelPhase): ServedModel {
  return { name: entry.name, version: versionOf(entry), uri: entry.uri, phase, loaded: undefined, failure: undefined };
}

/** Passes byte counts on about a hundred times a model, or once in a megabyte where its size is not known. */
function inSteps(tell: (bytes: Partial<ModelProgress>) => void): FetchOptions['onProgress'] {
  let last = 0;
  return (bytesDone, bytesTotal) => {
    const step = bytesTotal === undefined ? 1024 * 1024 : bytesTotal / 100;
    if (bytesDone !== bytesTotal && bytesDone >= last && bytesDone - last < step) return;
    last = bytesDone;
    tell(bytesTotal === undefined ? { bytesDone } : { bytesDone, bytesTotal });
  };
}

function versionOf({ version }: ModelEntry): string {
  return version ?? '1';
}

function facts({ model: { digest, format, engine } }: LoadedModelHandle): Partial<ModelProgress> {
  return { digest, format, engine };
}

function sameEntry(a: ModelEntry, b: ModelEntry): boolean {
  const key = ({ version, uri, digest, format, engine, batching }: ModelEntry) => {
    const { maxBatchSize, maxDelayMs, maxQueueSize } = batching ?? {};
    const joining = [maxBatchSize, maxDelayMs, maxQueueSize];
    return JSON.stringify([version ?? '1', uri, digest, format ?? 'Auto', engine ?? 'Auto', joining]);
  };
  return key(a) === key(b);
}

function verify(entry: ModelEntry, digest: string, format: string): void {
  if (entry.digest !== undefined && entry.digest !== digest) {
    throw new ModelFailure(
      'DigestMismatch',
      `The content under ${entry.uri} has the digest ${digest}, and digest pins ${entry.digest}: pin the new one if the change was meant, else restore the content`,
    );
  }
  if (entry.format !== undefined && entry.format !== 'Auto' && entry.format !== format) {
    throw new ModelFailure(
      'InvalidModel',
      `The content under ${entry.uri} is a ${format}, and format says ${entry.format}: write format: Auto or format: ${format}`,
    );
  }
}

function verifyUnchanged(entry: ModelEntry, loaded: string, now: string): void {
  if (loaded === now) return;
  throw new ModelFailure(
    'DigestMismatch',
    `The content under ${entry.uri} changed from ${loaded} to ${now} while it was served: restart the server to serve the new one`,
  );
}
