import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WorkQueue, WorkQueueMetrics } from './work-queue.ts';

export const reconcileResults = ['success', 'error', 'requeue', 'requeue_after'] as const;
export type ReconcileOutcome = (typeof reconcileResults)[number];

/** controller-runtime's buckets (pkg/internal/controller/metrics), in seconds. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75,
  2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** controller-runtime's buckets (pkg/metrics/workqueue.go), in seconds. */
const queueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** What one controller tells its metrics. */
export interface ControllerMetrics {
  reconciled(result: ReconcileOutcome, seconds: number): void;
  error(): void;
  terminalError(): void;
  /** A throw of something that is no Error, which is a defect of ours. */
  panic(): void;
  activeWorkers(count: number): void;
}

/** What one type's list and watch tell their metrics. */
export interface ReflectorMetrics {
  listed(ok: boolean): void;
  watched(ok: boolean): void;
}

export type ApplyResult = 'applied' | 'skipped' | 'failed';

/**
 * The operator's metrics under controller-runtime's and client-go's names, so that existing dashboards work. Made once
 * and handed to what counts; label sets begin at 0.
 */
export class OperatorMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #applies: Counter<'kind' | 'manager' | 'result'>;
  readonly #samplers = new Map<Gauge, (() => void)[]>();

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host.',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    this.#applies = new Counter({
      name: 'server_side_apply_total',
      help: 'Number of intents, partitioned by whether an apply was sent, skipped because nothing differed, or failed.',
      labelNames: ['kind', 'manager', 'result'],
      registers,
    });
  }

  /** For the transport's `onResponse`. */
  readonly countRequest = (response: { readonly code: string; readonly method: string; readonly host: string }): void =>
    this.#requests.inc({ code: response.code, method: response.method, host: response.host });

  readonly countApply = (kind: string, manager: string, result: ApplyResult): void =>
    this.#applies.inc({ kind, manager, result });

  forReflector(kind: string): ReflectorMetrics {
    const labels = { kind };
    const counters = (['list', 'watch'] as const).map((verb) => ({
      total: this.#counter(`${verb}_operations_total`, `Number of ${verb} operations.`, ['kind']),
      failed: this.#counter(`${verb}_operations_failed_total`, `Number of ${verb} operations that failed.`, ['kind']),
    }));
    for (const { total, failed } of counters) {
      total.inc(labels, 0);
      failed.inc(labels, 0);
    }
    const [lists, watches] = counters;
    return {
      listed: (ok) => {
        lists?.total.inc(labels);
        if (!ok) lists?.failed.inc(labels);
      },
      watched: (ok) => {
        watches?.total.inc(labels);
        if (!ok) watches?.failed.inc(labels);
      },
    };
  }

  forController(controller: string, workers: number): ControllerMetrics {
    const labels = { controller };
    const prefix = 'controller_runtime_';
    const total = this.#counter(`${prefix}reconcile_total`, 'Total number of reconciliations per controller.', [
      'controller',
      'result',
    ]);
    for (const result of reconcileResults) total.inc({ controller, result }, 0);
    const count = (name: string, help: string): Counter => {
      const counter = this.#counter(`${prefix}${name}`, help, ['controller']);
      counter.inc(labels, 0);
      return counter;
    };
    const errors = count('reconcile_errors_total', 'Total number of reconciliation errors per controller.');
    const terminal = count(
      'terminal_reconcile_errors_total',
      'Total number of terminal reconciliation errors per controller.',
    );
    const panics = count('reconcile_panics_total', 'Total number of reconciliation panics per controller.');
    count('reconcile_timeouts_total', 'Total number of reconciliation timeouts per controller.');
    const seconds = this.#histogram(
      `${prefix}reconcile_time_seconds`,
      'Length of time per reconciliation per controller.',
      ['controller'],
      reconcileBuckets,
    );
    seconds.zero(labels);
    this.#gauge(`${prefix}max_concurrent_reconciles`, 'Maximum number of concurrent reconciles per controller.', [
      'controller',
    ]).set(labels, workers);
    const active = this.#gauge(`${prefix}active_workers`, 'Number of currently used workers per controller.', [
      'controller',
    ]);
    active.set(labels, 0);
    return {
      reconciled: (result, duration) => {
        total.inc({ controller, result });
        seconds.observe(labels, duration);
      },
      error: () => errors.inc(labels),
      terminalError: () => terminal.inc(labels),
      panic: () => panics.inc(labels),
      activeWorkers: (workersNow) => active.set(labels, workersNow),
    };
  }

  /** `queue` is asked for the ages of the work in hand at each scrape. */
  forWorkQueue(controller: string, queue: () => WorkQueue): WorkQueueMetrics {
    const labels = { name: controller, controller };
    const names = ['name', 'controller'];
    const depth = this.#gauge('workqueue_depth', 'Current depth of workqueue.', names);
    const adds = this.#counter('workqueue_adds_total', 'Total number of adds handled by workqueue.', names);
    const retries = this.#counter('workqueue_retries_total', 'Total number of retries handled by workqueue.', names);
    const queued = this.#histogram(
      'workqueue_queue_duration_seconds',
      'How long in seconds an item stays in workqueue before being requested.',
      names,
      queueBuckets,
    );
    const worked = this.#histogram(
      'workqueue_work_duration_seconds',
      'How long in seconds processing an item from workqueue takes.',
      names,
      queueBuckets,
    );
    depth.set(labels, 0);
    adds.inc(labels, 0);
    retries.inc(labels, 0);
    queued.zero(labels);
    worked.zero(labels);
    this.#sampled(
      'workqueue_unfinished_work_seconds',
      'Seconds of work in progress that is not yet done.',
      labels,
      () =>
        queue()
          .processingMs()
          .reduce((sum, ms) => sum + ms / 1000, 0),
    );
    this.#sampled(
      'workqueue_longest_running_processor_seconds',
      'How many seconds the longest running processor has been running.',
      labels,
      () => Math.max(0, ...queue().processingMs()) / 1000,
    );
    return {
      added: (depthNow) => {
        adds.inc(labels);
        depth.set(labels, depthNow);
      },
      started: (depthNow, queuedMs) => {
        depth.set(labels, depthNow);
        queued.observe(labels, queuedMs / 1000);
      },
      finished: (workMs) => worked.observe(labels, workMs / 1000),
      retried: () => retries.inc(labels),
    };
  }

  /** The text that Prometheus reads, and its content type. */
  async exposition(): Promise<{ readonly text: string; readonly contentType: string }> {
    for (const sample of [...this.#samplers.values()].flat()) sample();
    return { text: await this.registry.metrics(), contentType: this.registry.contentType };
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Counter
      ? known
      : new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Gauge
      ? known
      : new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  /** A gauge whose value is worked out at each scrape. */
  #sampled(name: string, help: string, labels: Readonly<Record<string, string>>, value: () => number): void {
    const gauge = this.#gauge(name, help, Object.keys(labels));
    const samplers = this.#samplers.get(gauge) ?? [];
    samplers.push(() => gauge.set(labels, value()));
    this.#samplers.set(gauge, samplers);
  }

  #histogram(name: string, help: string, labelNames: readonly string[], buckets: readonly number[]): Histogram {
    const known = this.registry.getSingleMetric(name);
    return known instanceof Histogram
      ? known
      : new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [this.registry] });
  }
}
