import type { Clock } from '../runtime/clock.ts';
import { samplesIn } from '../runtime/exposition.ts';
import { Limiter } from '../runtime/limiter.ts';
import { hostAndPort } from '../runtime/ready-address.ts';
import { METRICS_PORT } from './conventions.ts';
import { getFromPod } from './get-from-pod.ts';
import { isPodReady, type Pod } from './live-objects.ts';
import type { ActivityReading, PodActivity } from './observed.ts';

/** Reads the activity of the server at `podIP`. */
export type FetchPodActivity = (podIP: string, signal: AbortSignal) => Promise<PodActivity>;

export interface PodActivityReaderOptions {
  readonly fetchPodActivity: FetchPodActivity;
  readonly clock: Clock;
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  /** Called with the service's key when all pods that were asked have answered, or have not in time. */
  readonly onRead: (key: string) => void;
  /** How many pods are asked at the same time. Default: 16. */
  readonly concurrency?: number;
}

/** Asks the ready pods of a service for their activity, when it is told to, and remembers what they said last. */
export class PodActivityReader {
  readonly #options: PodActivityReaderOptions;
  readonly #limiter: Limiter;
  readonly #known = new Map<string, ActivityReading>();
  /** Pods' uids by the service's key. */
  readonly #pods = new Map<string, ReadonlySet<string>>();
  readonly #asking = new Set<string>();

  constructor(options: PodActivityReaderOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency ?? 16);
  }

  /** By the pods' uid. */
  get known(): ReadonlyMap<string, ActivityReading> {
    return this.#known;
  }

  /** The pods that the service `key` has now: forgets what others said. */
  observe(key: string, pods: readonly Pod[]): void {
    const uids = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const uid of this.#pods.get(key) ?? []) {
      if (!uids.has(uid)) this.#known.delete(uid);
    }
    if (uids.size === 0) this.#pods.delete(key);
    else this.#pods.set(key, uids);
  }

  /** Asks the ready ones of `pods`, the observed ones of the service `key`, unless that is under way. */
  ask(key: string, pods: readonly Pod[]): void {
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    const reads = pods.filter(isPodReady).map((pod) => this.#limiter.run(() => this.#read(key, pod)));
    void Promise.all(reads).then(() => {
      this.#asking.delete(key);
      if (!this.#options.signal.aborted) this.#options.onRead(key);
    });
  }

  /** Never rejects. */
  async #read(key: string, { metadata: { uid }, status }: Pod): Promise<void> {
    const { clock, fetchPodActivity, signal } = this.#options;
    const podIP = status?.podIP;
    const readAt = clock.now();
    const activity =
      podIP === undefined ? undefined : await fetchPodActivity(podIP, signal).catch((): undefined => undefined);
    if (this.#pods.get(key)?.has(uid) === true) this.#known.set(uid, { readAt, activity });
  }
}

const IN_FLIGHT = 'modelservice_requests_in_flight';
const LAST_REQUEST = 'modelservice_last_request_timestamp_seconds';
const LOAD_SECONDS = 'modelservice_model_load_seconds';
const WANTED: ReadonlySet<string> = new Set([IN_FLIGHT, LAST_REQUEST, LOAD_SECONDS]);

/** How long a pod may take to answer. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Asks over HTTP, at the server's default port of /metrics. Throws for any answer but metrics. */
export const fetchPodActivityOverHttp: FetchPodActivity = async (podIP, signal) => {
  const query = new URLSearchParams([...WANTED].map((name): [string, string] => ['name[]', name]));
  const url = `http://${hostAndPort({ ip: podIP, port: METRICS_PORT })}/metrics?${query}`;
  const response = await getFromPod(url, ANSWER_TIMEOUT_MS, signal);
  if (!response.ok) throw new Error(`Could not read the activity from ${url}: it answered ${response.status}`);
  return podActivityIn(await response.text());
};

/**
 * The activity that a text of Prometheus' format tells.
 *
 * @throws where it does not say what is in flight, or knows no time of the last request: then nothing is known
 */
export function podActivityIn(text: string): PodActivity {
  const samples = samplesIn(text, WANTED);
  const values = (name: string): readonly number[] =>
    samples.filter(({ metric }) => metric === name).map(({ value }) => value);
  const inFlight = values(IN_FLIGHT);
  if (inFlight.length === 0) throw new Error(`The metrics hold no ${IN_FLIGHT}`);
  const lastRequests = values(LAST_REQUEST);
  // Before the first request there is the metric's type alone; an older server has neither.
  if (lastRequests.length === 0 && !text.includes(`# TYPE ${LAST_REQUEST} `)) {
    throw new Error(`The metrics hold no ${LAST_REQUEST}`);
  }
  return {
    inFlight: inFlight.reduce((sum, value) => sum + value, 0),
    lastRequestAt: lastRequests.length === 0 ? undefined : Math.max(...lastRequests) * 1000,
    loadSeconds: new Map(
      samples
        .filter(({ metric }) => metric === LOAD_SECONDS)
        .map(({ labels, value }): [string, number] => [labels.phase ?? '', value]),
    ),
  };
}
