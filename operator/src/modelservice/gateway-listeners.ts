import { type Clock, sleep } from '../runtime/clock.ts';
import { Limiter } from '../runtime/limiter.ts';
import { refOfKey } from '../runtime/object-key.ts';
import { hostAndPort, type IpAddress } from '../runtime/ready-address.ts';
import { getFromPod } from './get-from-pod.ts';
import type { GatewayPod } from './observed.ts';

/** Asks a pod of the gateway on which port it listens for the service `key`; undefined: on none. */
export type FetchListener = (pod: IpAddress, key: string, signal: AbortSignal) => Promise<number | undefined>;

export interface GatewayListenersOptions {
  readonly fetchListener: FetchListener;
  readonly clock: Clock;
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  /** Called with the service's key when an answer has changed. */
  readonly onAnswer: (key: string) => void;
  /** How many calls are under way at the same time. Default: 32. */
  readonly concurrency?: number;
}

/** The first wait after a pod did not listen; doubled up to the longest. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

interface Inquiry {
  readonly port: number;
  readonly stop: AbortController;
}

const NOBODY: ReadonlyMap<string, number | 'No'> = new Map();

/** Asks the gateway's pods what they listen for, each until it listens as it is wanted to. */
export class GatewayListeners {
  readonly #options: GatewayListenersOptions;
  readonly #limiter: Limiter;
  /** By the service's key and the pod's uid. */
  readonly #inquiries = new Map<string, Map<string, Inquiry>>();
  readonly #answers = new Map<string, Map<string, number | 'No'>>();

  constructor(options: GatewayListenersOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency ?? 32);
  }

  /** What pods said of the service `key`, by their uid. */
  answers(key: string): ReadonlyMap<string, number | 'No'> {
    return this.#answers.get(key) ?? NOBODY;
  }

  /** `pods` are to listen on `port` for the service `key`; what others said, or these of another port, is forgotten. */
  want(key: string, port: number, pods: readonly GatewayPod[]): void {
    const inquiries = this.#inquiries.get(key) ?? new Map<string, Inquiry>();
    this.#inquiries.set(key, inquiries);
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const [uid, inquiry] of inquiries) {
      if (uids.has(uid) && inquiry.port === port) continue;
      inquiry.stop.abort();
      inquiries.delete(uid);
      this.#answers.get(key)?.delete(uid);
    }
    for (const { metadata, health } of pods) {
      if (health === undefined || inquiries.has(metadata.uid)) continue;
      const inquiry = { port, stop: new AbortController() };
      inquiries.set(metadata.uid, inquiry);
      this.#inquire(key, metadata.uid, health, inquiry).catch(() => undefined);
    }
  }

  /** Nobody is to hold requests for the service `key` now: the next `want` asks anew. */
  forget(key: string): void {
    for (const { stop } of this.#inquiries.get(key)?.values() ?? []) stop.abort();
    this.#inquiries.delete(key);
    this.#answers.delete(key);
  }

  /** Rejects only when it is stopped. */
  async #inquire(key: string, uid: string, health: IpAddress, { port, stop }: Inquiry): Promise<void> {
    const { clock, fetchListener, onAnswer } = this.#options;
    const signal = AbortSignal.any([stop.signal, this.#options.signal]);
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      const told = await this.#limiter.run(() => fetchListener(health, key, signal).catch((): undefined => undefined));
      signal.throwIfAborted();
      const answers = this.#answers.get(key) ?? new Map<string, number | 'No'>();
      this.#answers.set(key, answers);
      const answer = told ?? 'No';
      if (answers.get(uid) !== answer) {
        answers.set(uid, answer);
        onAnswer(key);
      }
      if (answer === port) return;
      await sleep(clock, retryMs, signal);
    }
  }
}

/** How long a pod of the gateway may take to answer. */
const ANSWER_TIMEOUT_MS = 3_000;

/** Asks over HTTP: `GET /listeners/NAMESPACE/NAME` at the port of /healthz. */
export const fetchListenerOverHttp: FetchListener = async (pod, key, signal) => {
  const { namespace = '', name } = refOfKey(key);
  const response = await getFromPod(
    `http://${hostAndPort(pod)}/listeners/${namespace}/${name}`,
    ANSWER_TIMEOUT_MS,
    signal,
  );
  if (!response.ok) return undefined;
  const body: unknown = await response.json();
  const port = typeof body === 'object' && body !== null && 'port' in body ? body.port : undefined;
  return typeof port === 'number' ? port : undefined;
};
