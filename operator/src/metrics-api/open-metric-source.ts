import type { Clock } from '../runtime/clock.ts';
import type { ApiMetrics } from './api-metrics.ts';
import type { MetricsApiConfig } from './config.ts';
import { MetricsFetcher } from './fetch-metrics.ts';
import type { ReadMetric } from './metric-source.ts';
import { PodReader } from './pod-reader.ts';
import { PrometheusClient } from './prometheus-client.ts';
import { PrometheusReader } from './prometheus-reader.ts';
import type { ServerPod } from './server-pod.ts';

export interface MetricSource {
  readonly read: ReadMetric;
  /** A pod came, changed or went. */
  podChanged(before: ServerPod | undefined, after: ServerPod | undefined): void;
  close(): Promise<void>;
}

const PROMETHEUS_CONNECTIONS = 10;

/** The Prometheus server that the configuration names, else the pods themselves. */
export async function openMetricSource(
  { prometheusUrl, prometheusCredentials, prometheusMaxAgeMs }: MetricsApiConfig,
  told: ApiMetrics,
  clock: Clock,
): Promise<MetricSource> {
  if (prometheusUrl === undefined) return podSource(told, clock);
  const client = await PrometheusClient.create({
    url: prometheusUrl,
    credentialsDir: prometheusCredentials,
    connections: PROMETHEUS_CONNECTIONS,
  });
  const { read } = new PrometheusReader({
    query: client.query,
    host: new URL(prometheusUrl).host,
    clock,
    maxAgeMs: prometheusMaxAgeMs,
    concurrency: PROMETHEUS_CONNECTIONS,
    onQuery: told.prometheusQueried,
  });
  return { read, podChanged: () => {}, close: () => client.close() };
}

function podSource(told: ApiMetrics, clock: Clock): MetricSource {
  const fetcher = new MetricsFetcher();
  const reader = new PodReader({ fetchText: fetcher.fetchText, clock, onRead: told.podRead });
  return {
    read: reader.readAll,
    podChanged(before, after) {
      if (before !== undefined && after === undefined) reader.forget(before.metadata.uid);
      // So that one that hangs is known before an autoscaler has to wait for it.
      if (after !== undefined && after.metricsUrl !== before?.metricsUrl) void reader.read(after);
    },
    close: () => fetcher.close(),
  };
}
