import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the metrics API tells of itself. */
export interface ApiMetrics {
  podRead(result: 'ok' | 'failed' | 'timeout'): void;
  prometheusQueried(result: 'ok' | 'failed' | 'timeout'): void;
  /** @param seconds since the epoch: the end of the certificate that is served from now on */
  certificateExpires(seconds: number): void;
  /** @param kind what was asked for: `metric` or `document` */
  answered(kind: 'metric' | 'document', code: number, seconds: number): void;
}

/** The controller asks one query after the other: from a millisecond, what is shared, to the second of a hung pod. */
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function apiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry];
  const resultCounter = (name: string, what: string): Counter => {
    const help = `${what}, by result: ok, failed (an error or a refused connection) or timeout.`;
    const counter = new Counter({ name, help, labelNames: ['result'], registers });
    for (const result of ['ok', 'failed', 'timeout']) counter.inc({ result }, 0);
    return counter;
  };
  const reads = resultCounter('modelservice_metrics_api_pod_reads_total', 'Reads of pods');
  const queries = resultCounter('modelservice_metrics_api_prometheus_queries_total', 'Queries of Prometheus');
  const expiry = new Gauge({
    name: 'modelservice_metrics_api_certificate_expiry_timestamp_seconds',
    help: 'Unix time at which the served certificate ends; 0 before there is one.',
    registers,
  });
  const answers = new Histogram({
    name: 'modelservice_metrics_api_request_duration_seconds',
    help: 'From the head of a call to its answer.',
    labelNames: ['kind', 'code'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  return {
    podRead: (result) => reads.inc({ result }),
    prometheusQueried: (result) => queries.inc({ result }),
    certificateExpires: (seconds) => expiry.set(seconds),
    answered: (kind, code, seconds) => answers.observe({ kind, code }, seconds),
  };
}
