/**
 * How fast the custom metrics API answers and how much memory it takes, behind a real API server: so many ModelServices
 * with an autoscaler's query each, every one with two pods that answer and one that hangs. `npm run bench:metrics-api`.
 */
import { parseArgs } from 'node:util';
import { eventually } from '../integration/support/eventually.ts';
import { reportReady } from '../integration/support/kubelet.ts';
import { createMetricsPod, startHung, startTelemetry } from '../integration/support/metrics-pods.ts';
import { createNamespace, deleteNamespace } from '../integration/support/namespaces.ts';
import { startMetricsApi } from '../integration/support/suite-metrics-api.ts';
import { beginTestRun, endTestRun, testCluster } from '../integration/support/test-run.ts';

/** As many as kube-controller-manager has workers for autoscalers. */
const WORKERS = 5;
const CREATORS = 16;
const ROUNDS = 3;
const METRIC = 'modelservice_in_flight_avg15s';

const { values } = parseArgs({ options: { services: { type: 'string', default: '1000' } } });
const services = Array.from({ length: Number(values.services) }, (_, index) => `service-${index}`);

/** Runs `task` for each item, so many at a time. */
async function each<T>(items: readonly T[], workers: number, task: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of left) await task(item);
    }),
  );
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
}

async function measure(): Promise<void> {
  const namespace = await createNamespace('bench');
  await using answering = await startTelemetry({ host: '0.0.0.0', port: 0 });
  await using hung = await startHung({ host: '0.0.0.0', port: 0 });
  answering.hold(4);
  let address = 0;
  await each(services, CREATORS, async (service) => {
    for (const [kind, port] of [
      ['a', answering.port],
      ['b', answering.port],
      ['hung', hung.port],
    ] as const) {
      address++;
      const pod = await createMetricsPod({ namespace, name: `${service}-${kind}` }, service, port);
      // Each is a server of its own to a client; all of 127.0.0.0/8 is this machine.
      await reportReady(pod, `127.${1 + (address >> 16)}.${(address >> 8) & 255}.${address & 255}`);
    }
  });
  await using api = await startMetricsApi(namespace);
  const metricsOf = async (): Promise<string> => await (await fetch(`${api.process.metricsUrl}/metrics`)).text();
  await eventually(metricsOf, {
    because: 'each pod that hangs is known',
    until: (text) => Number(/pod_reads_total\{result="timeout"\} (\d+)/.exec(text)?.[1]) >= services.length,
    deadlineMs: 60_000,
  });
  console.log(
    `${services.length} ModelServices, each with two pods that answer and one that hangs; ${WORKERS} clients`,
  );
  console.log('round   p50 ms   p99 ms   max ms   queries/s   pods left out');
  for (let round = 1; round <= ROUNDS; round++) {
    const times: number[] = [];
    let missing = 0;
    const startedMs = performance.now();
    await each(services, WORKERS, async (service) => {
      const beganMs = performance.now();
      const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/pods/*/${METRIC}?labelSelector=modelservice.dev%2Fname%3D${service}`;
      const { status, body } = await testCluster().client.request('GET', path);
      times.push(performance.now() - beganMs);
      if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
      missing += 2 - (body as { items: readonly object[] }).items.length;
    });
    const rate = Math.round((services.length * 1000) / (performance.now() - startedMs));
    const sorted = times.toSorted((a, b) => a - b);
    const columns = [percentile(sorted, 0.5), percentile(sorted, 0.99), percentile(sorted, 1), rate, missing];
    console.log(`${String(round).padEnd(6)}${columns.map((value) => String(value).padStart(9)).join('')}`);
  }
  const bytes = Number(/^process_resident_memory_bytes (\d+)/m.exec(await metricsOf())?.[1]);
  console.log(`memory: ${Math.round(bytes / 1024 / 1024)} MiB`);
  await deleteNamespace(namespace);
}

await beginTestRun(new AbortController().signal, (line) => console.log(line));
try {
  await measure();
} finally {
  await endTestRun();
}
