import { z } from 'zod';
import { type Clock, sleep } from '../runtime/clock.ts';
import { Limiter } from '../runtime/limiter.ts';
import { hostAndPort } from '../runtime/ready-address.ts';
import { HTTP_PORT } from './conventions.ts';
import { getFromPod } from './get-from-pod.ts';
import { isPodReady, type Pod } from './live-objects.ts';

/** What a server says of the model that it serves. */
export interface ModelInfo {
  readonly uri?: string | undefined;
  readonly digest?: string | undefined;
  readonly format?: string | undefined;
  readonly engine?: string | undefined;
}

/** Reads the v2 metadata of `model` from the server at `podIP`. */
export type FetchModelInfo = (podIP: string, model: string, signal: AbortSignal) => Promise<ModelInfo>;

export interface ModelInfoReaderOptions {
  readonly fetchModelInfo: FetchModelInfo;
  readonly clock: Clock;
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  /** Called with the service's key when a pod has told. */
  readonly onInfo: (key: string) => void;
  /** How many pods are asked at the same time. Default: 8. */
  readonly concurrency?: number;
}

/** The first wait after a pod did not answer; doubled up to the longest. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Asks each ready pod once what it serves and remembers the answer as long as the pod is there. Reconciles only read
 * what is known; an answer enqueues the service's key.
 */
export class ModelInfoReader {
  readonly #options: ModelInfoReaderOptions;
  readonly #limiter: Limiter;
  readonly #known = new Map<string, ModelInfo>();
  readonly #asking = new Map<string, AbortController>();
  /** Pods' uids by the service's key. */
  readonly #pods = new Map<string, ReadonlySet<string>>();

  constructor(options: ModelInfoReaderOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency ?? 8);
  }

  get known(): ReadonlyMap<string, ModelInfo> {
    return this.#known;
  }

  /** The pods that the service `key` has now: asks the ready ones that have not told, forgets those that are gone. */
  observe(key: string, model: string, pods: readonly Pod[]): void {
    const uids = new Set(pods.map((pod) => pod.metadata.uid));
    for (const uid of this.#pods.get(key) ?? []) {
      if (!uids.has(uid)) this.#forget(uid);
    }
    if (uids.size === 0) this.#pods.delete(key);
    else this.#pods.set(key, uids);
    for (const pod of pods) {
      const { uid } = pod.metadata;
      const podIP = pod.status?.podIP;
      if (podIP === undefined || !isPodReady(pod) || this.#known.has(uid) || this.#asking.has(uid)) continue;
      const asking = new AbortController();
      this.#asking.set(uid, asking);
      const signal = AbortSignal.any([asking.signal, this.#options.signal]);
      this.#ask(key, uid, podIP, model, signal)
        .catch(() => undefined)
        .finally(() => {
          if (this.#asking.get(uid) === asking) this.#asking.delete(uid);
        });
    }
  }

  #forget(uid: string): void {
    this.#known.delete(uid);
    this.#asking.get(uid)?.abort();
    this.#asking.delete(uid);
  }

  /** Rejects only when `signal` aborts. */
  async #ask(key: string, uid: string, podIP: string, model: string, signal: AbortSignal): Promise<void> {
    const { clock, fetchModelInfo, onInfo } = this.#options;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      signal.throwIfAborted();
      try {
        const info = await this.#limiter.run(() => fetchModelInfo(podIP, model, signal));
        signal.throwIfAborted();
        this.#known.set(uid, info);
        onInfo(key);
        return;
      } catch {
        await sleep(clock, retryMs, signal);
      }
    }
  }
}

const optionalText = z.string().min(1).max(2048).optional().catch(undefined);
const metadataSchema = z.object({
  parameters: z
    .object({ uri: optionalText, digest: optionalText, format: optionalText, engine: optionalText })
    .optional(),
});

/** How long a pod may take to answer. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Asks over HTTP, at the server's default port. Throws for any answer but metadata. */
export const fetchModelInfoOverHttp: FetchModelInfo = async (podIP, model, signal) => {
  const url = `http://${hostAndPort({ ip: podIP, port: HTTP_PORT })}/v2/models/${encodeURIComponent(model)}`;
  const response = await getFromPod(url, ANSWER_TIMEOUT_MS, signal);
  if (!response.ok) {
    throw new Error(`Could not read the model's metadata from ${url}: it answered ${response.status}`);
  }
  return metadataSchema.parse(await response.json()).parameters ?? {};
};
