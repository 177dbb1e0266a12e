/**
 * What the server says of itself: Prometheus metrics under names that dashboards and the autoscaler rely on, and logs.
 * The registry belongs to one server (nothing is global), and only models of the configuration become labels: what a
 * client invents in a URL never does.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BatchObserver } from '../batching/batch-observer.ts';
import type { ModelRepository } from '../model/served-model.ts';
import { SlidingMean, SlidingRate } from './sliding-window.ts';

/** The `protocol` label: Open Inference Protocol REST, or TensorFlow Serving REST. */
export type Protocol = 'v2' | 'v1';

/** From a tenth of a millisecond, which a request hardly waits for a free engine, to the half minute after which clients give up. */
const DURATION_BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Powers of two up to the most rows that a batch may have. */
const BATCH_SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

interface ModelActivity {
  readonly model: string;
  readonly version: string;
  inFlight: number;
  readonly inFlightMean: SlidingMean;
  /** Requests that wait for the engine; they are in flight too. */
  queued: number;
  readonly queuedMean: SlidingMean;
  readonly requestRate: SlidingRate;
  /** Unix time in seconds; undefined before the first request. */
  lastRequestSeconds: number | undefined;
}

/** One request for a model that is served, from its head to the end of its answer. */
export interface RequestSpan {
  /** Must be called exactly once. @param code the HTTP status answered; 499 when the client left before the answer */
  end(code: number): void;
}

/** What becomes of the requests for a model between HTTP and the engine. Times are in milliseconds. */
export type BatchTelemetry = Pick<BatchObserver, 'waiting' | 'began' | 'computed'>;

export interface Telemetry {
  readonly registry: Registry;
  requestStarted(model: string, version: string, protocol: Protocol): RequestSpan;
  /** Counts a request for no model that is served; its labels `model` and `version` are empty. */
  requestRefused(protocol: Protocol, code: number): void;
  /** Who is told of the batches of a model. */
  batches(model: string, version: string): BatchTelemetry;
  /** @param phase a phase of loading, for example `Fetching` */
  phaseEnded(model: string, version: string, phase: string, seconds: number): void;
}

/**
 * @param nowSeconds Unix time in seconds; for `modelservice_last_request_timestamp_seconds`
 * @param nowMs a clock that never goes back, in milliseconds
 */
export function createTelemetry(
  repository: ModelRepository,
  nowSeconds = () => Date.now() / 1000,
  nowMs = () => performance.now(),
): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const activities = new Activities(repository, nowMs);
  const requests = new Counter({
    name: 'modelservice_requests_total',
    help: 'Inference requests answered, by HTTP status; model is empty where the name is not served.',
    labelNames: ['model', 'version', 'protocol', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'modelservice_request_duration_seconds',
    help: 'From the head of an inference request to the end of its answer.',
    labelNames: ['model', 'version', 'protocol'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const queueing = new Histogram({
    name: 'modelservice_queue_duration_seconds',
    help: 'From a request read to the engine beginning with its first rows.',
    labelNames: ['model', 'version'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const inference = new Histogram({
    name: 'modelservice_inference_duration_seconds',
    help: 'The engine running the model on one batch.',
    labelNames: ['model', 'version'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const batchSize = new Histogram({
    name: 'modelservice_batch_size',
    help: 'Rows that the engine computed at once.',
    labelNames: ['model', 'version'],
    buckets: BATCH_SIZE_BUCKETS,
    registers,
  });
  const loading = new Gauge({
    name: 'modelservice_model_load_seconds',
    help: 'How long each phase of the last load of a model took.',
    labelNames: ['model', 'version', 'phase'],
    registers,
  });
  registerActivityGauges(registry, activities, nowMs);
  registerModelInfo(registry, repository);

  return {
    registry,
    requestStarted: (model, version, protocol) => {
      const activity = activities.of(model, version);
      const startedMs = nowMs();
      activity.inFlight++;
      activity.inFlightMean.set(activity.inFlight, startedMs);
      activity.requestRate.count(startedMs);
      activity.lastRequestSeconds = nowSeconds();
      return {
        end: (code) => {
          const endedMs = nowMs();
          // One that took long was no idle time.
          activity.lastRequestSeconds = nowSeconds();
          activity.inFlight--;
          activity.inFlightMean.set(activity.inFlight, endedMs);
          requests.inc({ model, version, protocol, code });
          duration.observe({ model, version, protocol }, (endedMs - startedMs) / 1000);
        },
      };
    },
    requestRefused: (protocol, code) => requests.inc({ model: '', version: '', protocol, code }),
    batches: (model, version) => {
      const labels = { model, version };
      return {
        waiting: (change) => {
          const activity = activities.of(model, version);
          activity.queued += change;
          activity.queuedMean.set(activity.queued, nowMs());
        },
        began: (waitedMs) => queueing.observe(labels, waitedMs / 1000),
        computed: (rows, tookMs) => {
          batchSize.observe(labels, rows);
          inference.observe(labels, tookMs / 1000);
        },
      };
    },
    phaseEnded: (model, version, phase, seconds) => loading.set({ model, version, phase }, seconds),
  };
}

/** What goes on at each model. */
class Activities {
  readonly #activities = new Map<string, ModelActivity>();
  readonly #repository: ModelRepository;
  readonly #nowMs: () => number;

  constructor(repository: ModelRepository, nowMs: () => number) {
    this.#repository = repository;
    this.#nowMs = nowMs;
  }

  of(model: string, version: string): ModelActivity {
    const key = `${model}/${version}`;
    const known = this.#activities.get(key);
    if (known !== undefined) return known;
    const activity: ModelActivity = {
      model,
      version,
      inFlight: 0,
      inFlightMean: new SlidingMean(this.#nowMs()),
      queued: 0,
      queuedMean: new SlidingMean(this.#nowMs()),
      requestRate: new SlidingRate(),
      lastRequestSeconds: undefined,
    };
    this.#activities.set(key, activity);
    return activity;
  }

  /** The models that are served, a scaler needs their zeros too, and those that left and still owe answers. */
  current(): Iterable<ModelActivity> {
    const served = new Set(this.#repository.list().map(({ name, version }) => this.of(name, version)));
    for (const [key, activity] of this.#activities) {
      if (activity.inFlight === 0 && activity.queued === 0 && !served.has(activity)) this.#activities.delete(key);
    }
    return this.#activities.values();
  }
}

/** Read when they are scraped: a request touches plain numbers only. */
function registerActivityGauges(registry: Registry, activities: Activities, nowMs: () => number): void {
  function gauge(name: string, help: string, value: (activity: ModelActivity) => number | undefined): void {
    const metric = new Gauge({
      name,
      help,
      labelNames: ['model', 'version'],
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const activity of activities.current()) {
          const { model, version } = activity;
          const now = value(activity);
          if (now !== undefined) metric.set({ model, version }, now);
        }
      },
    });
  }
  gauge(
    'modelservice_requests_in_flight',
    'Inference requests received and not yet answered, queued ones included.',
    ({ inFlight }) => inFlight,
  );
  gauge('modelservice_requests_queued', 'Inference requests that wait for the engine.', ({ queued }) => queued);
  gauge(
    'modelservice_queued_avg15s',
    'Inference requests that wait for the engine: the time-weighted mean of 15 s.',
    ({ queuedMean }) => queuedMean.mean(nowMs()),
  );
  gauge(
    'modelservice_in_flight_avg15s',
    'Inference requests received and not yet answered, queued ones included: the time-weighted mean of 15 s.',
    ({ inFlightMean }) => inFlightMean.mean(nowMs()),
  );
  gauge(
    'modelservice_requests_per_second_avg15s',
    'Inference requests received a second: the mean of 15 s.',
    ({ requestRate }) => requestRate.perSecond(nowMs()),
  );
  gauge(
    'modelservice_last_request_timestamp_seconds',
    'Unix time at which an inference request came or was answered last; absent before the first.',
    ({ lastRequestSeconds }) => lastRequestSeconds,
  );
}

function registerModelInfo(registry: Registry, repository: ModelRepository): void {
  const info = new Gauge({
    name: 'modelservice_model_info',
    help: 'Always 1: which content serves, in which format, on which engine.',
    labelNames: ['model', 'version', 'digest', 'format', 'engine'],
    registers: [registry],
    collect: () => {
      info.reset();
      for (const { name: model, version, loaded } of repository.list()) {
        if (loaded === undefined) continue;
        info.set({ model, version, digest: loaded.digest, format: loaded.format, engine: loaded.engine }, 1);
      }
    },
  });
}
