import type { MetricFamilies } from './metric-families.ts';

const results = ['success', 'error', 'requeue', 'requeue_after'] as const;
export type ReconcileOutcome = (typeof results)[number];

/** controller-runtime's buckets (pkg/internal/controller/metrics), in seconds. */
const buckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75,
  2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** What one controller tells its metrics. */
export interface ControllerMetrics {
  reconciled(result: ReconcileOutcome, seconds: number): void;
  error(): void;
  terminalError(): void;
  /** A throw of something that is no Error, which is a defect of ours. */
  panic(): void;
  activeWorkers(count: number): void;
}

export function controllerMetrics(families: MetricFamilies, controller: string, workers: number): ControllerMetrics {
  const labels = { controller };
  const family = (name: string, help: string, more: readonly string[] = []) => ({
    name: `controller_runtime_${name}`,
    help: `${help} per controller.`,
    labelNames: ['controller', ...more],
  });
  const count = (name: string, help: string) => {
    const counter = families.counter(family(name, help));
    counter.inc(labels, 0);
    return counter;
  };
  const total = families.counter(family('reconcile_total', 'Total number of reconciliations', ['result']));
  for (const result of results) total.inc({ controller, result }, 0);
  const errors = count('reconcile_errors_total', 'Total number of reconciliation errors');
  const terminal = count('terminal_reconcile_errors_total', 'Total number of terminal reconciliation errors');
  const panics = count('reconcile_panics_total', 'Total number of reconciliation panics');
  count('reconcile_timeouts_total', 'Total number of reconciliation timeouts');
  const seconds = families.histogram(family('reconcile_time_seconds', 'Length of time per reconciliation'), buckets);
  seconds.zero(labels);
  families.gauge(family('max_concurrent_reconciles', 'Maximum number of concurrent reconciles')).set(labels, workers);
  const active = families.gauge(family('active_workers', 'Number of currently used workers'));
  active.set(labels, 0);
  return {
    reconciled: (result, duration) => {
      total.inc({ controller, result });
      seconds.observe(labels, duration);
    },
    error: () => errors.inc(labels),
    terminalError: () => terminal.inc(labels),
    panic: () => panics.inc(labels),
    activeWorkers: (now) => active.set(labels, now),
  };
}
