/**
 * What the server says of itself: Prometheus metrics under names that dashboards and the autoscaler rely on, and logs.
 * The registry belongs to one server (nothing is global), and only models of the configuration become labels: what a
 * client invents in a URL never does.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ModelRepository } from '../model/served-model.ts';

/** The `protocol` label: Open Inference Protocol REST, or TensorFlow Serving REST. */
export type Protocol = 'v2' | 'v1';

/** From half a millisecond, where a small model answers, to the half minute after which clients give up. */
const DURATION_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface ModelActivity {
  readonly model: string;
  readonly version: string;
  inFlight: number;
  /** Unix time in seconds; undefined before the first request. */
  lastRequestSeconds: number | undefined;
}

/** One request for a model that is served, from its head to the end of its answer. */
export interface RequestSpan {
  /** @param seconds how long the model ran, as the HTTP thread saw it: with the way to the engine and back */
  inferred(seconds: number): void;
  /** Must be called exactly once. @param code the HTTP status answered; 499 when the client left before the answer */
  end(code: number): void;
}

export interface Telemetry {
  readonly registry: Registry;
  requestStarted(model: string, version: string, protocol: Protocol): RequestSpan;
  /** Counts a request for no model that is served; its labels `model` and `version` are empty. */
  requestRefused(protocol: Protocol, code: number): void;
  /** @param phase a phase of loading, for example `Fetching` */
  phaseEnded(model: string, version: string, phase: string, seconds: number): void;
}

/** @param nowSeconds Unix time in seconds; for `modelservice_last_request_timestamp_seconds` */
export function createTelemetry(repository: ModelRepository, nowSeconds = () => Date.now() / 1000): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const activities = new Map<string, ModelActivity>();
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
  const inference = new Histogram({
    name: 'modelservice_inference_duration_seconds',
    help: 'Running the model, with the way to the engine and back.',
    labelNames: ['model', 'version'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const loading = new Gauge({
    name: 'modelservice_model_load_seconds',
    help: 'How long each phase of the last load of a model took.',
    labelNames: ['model', 'version', 'phase'],
    registers,
  });
  registerActivityGauges(registry, activities, repository);
  registerModelInfo(registry, repository);

  return {
    registry,
    requestStarted: (model, version, protocol) => {
      const activity = activityOf(activities, model, version);
      activity.inFlight++;
      activity.lastRequestSeconds = nowSeconds();
      const startedMs = performance.now();
      return {
        inferred: (seconds) => inference.observe({ model, version }, seconds),
        end: (code) => {
          activity.inFlight--;
          requests.inc({ model, version, protocol, code });
          duration.observe({ model, version, protocol }, (performance.now() - startedMs) / 1000);
        },
      };
    },
    requestRefused: (protocol, code) => requests.inc({ model: '', version: '', protocol, code }),
    phaseEnded: (model, version, phase, seconds) => loading.set({ model, version, phase }, seconds),
  };
}

function activityOf(activities: Map<string, ModelActivity>, model: string, version: string): ModelActivity {
  const key = `${model}/${version}`;
  const known = activities.get(key);
  if (known !== undefined) return known;
  const activity: ModelActivity = { model, version, inFlight: 0, lastRequestSeconds: undefined };
  activities.set(key, activity);
  return activity;
}

/** Read when they are scraped: a request touches plain numbers only. */
function registerActivityGauges(
  registry: Registry,
  activities: Map<string, ModelActivity>,
  repository: ModelRepository,
): void {
  const inFlight = new Gauge({
    name: 'modelservice_requests_in_flight',
    help: 'Inference requests received and not yet answered, queued ones included.',
    labelNames: ['model', 'version'],
    registers: [registry],
    collect: () => {
      inFlight.reset();
      for (const { model, version, inFlight: value } of current(activities, repository)) {
        inFlight.set({ model, version }, value);
      }
    },
  });
  const lastRequest = new Gauge({
    name: 'modelservice_last_request_timestamp_seconds',
    help: 'Unix time of the last inference request; absent before the first.',
    labelNames: ['model', 'version'],
    registers: [registry],
    collect: () => {
      lastRequest.reset();
      for (const { model, version, lastRequestSeconds } of current(activities, repository)) {
        if (lastRequestSeconds !== undefined) lastRequest.set({ model, version }, lastRequestSeconds);
      }
    },
  });
}

/** The models that are served, a scaler needs their zeros too, and those that left and still owe answers. */
function current(activities: Map<string, ModelActivity>, repository: ModelRepository): Iterable<ModelActivity> {
  const served = new Set(repository.list().map(({ name, version }) => activityOf(activities, name, version)));
  for (const [key, activity] of activities) {
    if (activity.inFlight === 0 && !served.has(activity)) activities.delete(key);
  }
  return activities.values();
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
