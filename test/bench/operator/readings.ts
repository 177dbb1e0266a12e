// What the benchmark reads: the audit log, where the API server tells how long each call took, and programs' metrics.
import type { AuditEvent } from '../../cluster/audit-log.ts';
import { testCluster } from '../../integration/support/test-run.ts';
import { preciseMs } from './request-account.ts';

export interface AutoscalerReads {
  /** From the API server's receiving a query to its answer, the way through the metrics API included. */
  readonly milliseconds: readonly number[];
  readonly failed: number;
  readonly perSecond: number;
}

/** The autoscalers' reads of their metric between two moments. */
export async function autoscalerReads(fromMs: number, toMs: number): Promise<AutoscalerReads> {
  const reads = (await auditEvents()).filter((event) => {
    const atMs = Date.parse(event.requestReceivedTimestamp);
    return (
      event.user.username === 'system:serviceaccount:kube-system:horizontal-pod-autoscaler' &&
      event.requestURI.startsWith('/apis/custom.metrics.k8s.io/') &&
      event.requestURI.includes('/namespaces/') &&
      atMs >= fromMs &&
      atMs < toMs
    );
  });
  return {
    milliseconds: reads.map(({ stageTimestamp, requestReceivedTimestamp }) =>
      Math.max(0, preciseMs(stageTimestamp) - preciseMs(requestReceivedTimestamp)),
    ),
    failed: reads.filter(({ responseStatus }) => responseStatus?.code !== 200).length,
    perSecond: (reads.length * 1000) / (toMs - fromMs),
  };
}

async function auditEvents(): Promise<readonly AuditEvent[]> {
  const { auditEvents: read } = testCluster();
  if (read === undefined) throw new Error('The benchmark needs a cluster whose audit log it can read.');
  return (await read()).filter(({ stage }) => stage === 'ResponseComplete');
}

/** Samples of a program's own /metrics, by name and labels as they stand there. */
export async function programMetrics(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

export function memoryMiB(metrics: ReadonlyMap<string, number>): number {
  return Math.round((metrics.get('process_resident_memory_bytes') ?? 0) / 1024 / 1024);
}

export function cpuSeconds(metrics: ReadonlyMap<string, number>): number {
  return metrics.get('process_cpu_seconds_total') ?? 0;
}

const DURATION = 'modelservice_metrics_api_request_duration_seconds';

/** How many queries of a metric were answered with one. */
export function answeredQueries(metrics: ReadonlyMap<string, number>): number {
  return metrics.get(`${DURATION}_count{kind="metric",code="200"}`) ?? 0;
}

/** The bound of the histogram's bucket, in ms, below which so many of the queries between two readings were answered. */
export function answeredWithin(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  share: number,
): string {
  const buckets = [...after]
    .filter(([key]) => key.startsWith(`${DURATION}_bucket`) && key.includes('kind="metric"') && key.includes('"200"'))
    .map(([key, value]) => ({ bound: Number(/le="([^"]+)"/.exec(key)?.[1]), count: value - (before.get(key) ?? 0) }));
  const total = buckets.find(({ bound }) => Number.isNaN(bound))?.count ?? 0;
  const bound = buckets
    .filter((bucket) => bucket.count >= total * share)
    .reduce(
      (least, bucket) => Math.min(least, Number.isNaN(bucket.bound) ? Number.POSITIVE_INFINITY : bucket.bound),
      Number.POSITIVE_INFINITY,
    );
  return Number.isFinite(bound) ? `≤ ${bound * 1000}` : '> 2500';
}
