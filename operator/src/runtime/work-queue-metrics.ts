import type { MetricFamilies } from './metric-families.ts';
import type { WorkQueue, WorkQueueMetrics } from './work-queue.ts';

/** controller-runtime's buckets (pkg/metrics/workqueue.go), in seconds. */
const buckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** `queue` is asked for the ages of the work in hand at each scrape. */
export function workQueueMetrics(
  families: MetricFamilies,
  controller: string,
  queue: () => WorkQueue,
): WorkQueueMetrics {
  const labels = { name: controller, controller };
  const family = (name: string, help: string) => ({
    name: `workqueue_${name}`,
    help,
    labelNames: ['name', 'controller'],
  });
  const depth = families.gauge(family('depth', 'Current depth of workqueue.'));
  const adds = families.counter(family('adds_total', 'Total number of adds handled by workqueue.'));
  const retries = families.counter(family('retries_total', 'Total number of retries handled by workqueue.'));
  const queued = families.histogram(
    family('queue_duration_seconds', 'How long in seconds an item stays in workqueue before being requested.'),
    buckets,
  );
  const worked = families.histogram(
    family('work_duration_seconds', 'How long in seconds processing an item from workqueue takes.'),
    buckets,
  );
  depth.set(labels, 0);
  adds.inc(labels, 0);
  retries.inc(labels, 0);
  queued.zero(labels);
  worked.zero(labels);
  families.sampled(
    family('unfinished_work_seconds', 'How many seconds of work in progress are not yet observed by work_duration.'),
    labels,
    () =>
      queue()
        .processingMs()
        .reduce((sum, ms) => sum + ms, 0) / 1000,
  );
  families.sampled(
    family('longest_running_processor_seconds', 'How many seconds the longest running processor has been running.'),
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
