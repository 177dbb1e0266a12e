import { randomInt } from 'node:crypto';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../integration/support/eventually.ts';
import { kubectl } from '../../integration/support/kubectl.ts';
import { reportReady } from '../../integration/support/kubelet.ts';
import { modelService } from '../../integration/support/manifests.ts';
import { createNamespace } from '../../integration/support/namespaces.ts';
import { startOperator } from '../../integration/support/operator-process.ts';
import { RESOURCES } from '../../integration/support/resource-types.ts';
import { METRICS_PORT } from '../../integration/support/served-pods.ts';
import { startMetricsApi } from '../../integration/support/suite-metrics-api.ts';
import { type AnyObject, collectionPath } from '../../integration/support/test-api.ts';
import { testApi, testCluster } from '../../integration/support/test-run.ts';
import { environmentOfImage } from './compile-cache.ts';
import { startPodFleet } from './pod-fleet.ts';
import { answeredQueries, answeredWithin, autoscalerReads, cpuSeconds, memoryMiB, programMetrics } from './readings.ts';
import type { Section } from './report.ts';
import { each, spread } from './statistics.ts';

const PODS_EACH = 3;
const WRITERS = 16;
/** kube-controller-manager as it comes. */
const DEFAULT_FLAGS = [
  '--horizontal-pod-autoscaler-sync-period=15s',
  '--concurrent-horizontal-pod-autoscaler-syncs=5',
  '--kube-api-qps=20',
  '--kube-api-burst=30',
];
/** What docs/request-scaling.md advises for 1,000 autoscalers. */
const RAISED_FLAGS = [
  '--horizontal-pod-autoscaler-sync-period=15s',
  '--concurrent-horizontal-pod-autoscaler-syncs=10',
  '--kube-api-qps=100',
  '--kube-api-burst=200',
];

/** The same pace without letting the syncs of a period come all at once: a metric's query then meets fewer others. */
const EVEN_FLAGS = [
  '--horizontal-pod-autoscaler-sync-period=15s',
  '--concurrent-horizontal-pod-autoscaler-syncs=5',
  '--kube-api-qps=75',
  '--kube-api-burst=75',
];
const COLUMNS = [
  'flags',
  'pods',
  'syncs/s',
  'each every, s',
  'query at the API server, ms',
  'in the metrics API, ms',
  'its CPU time a query, ms',
  'failed',
  'memory',
  'load of the machine',
];

const MAKING_FLAGS = ['--horizontal-pod-autoscaler-sync-period=60s'];

/** @param measuredMs for each row of the table */
export async function benchAutoscalers(count: number, measuredMs: number, signal: AbortSignal): Promise<Section> {
  const { components } = testCluster();
  if (components === undefined) throw new Error('The benchmark needs a control plane of its own on this machine.');
  // There is no node, and what it would say of each pod costs as much as the rest.
  await components.scheduler.kill();
  // Nor is the autoscalers' pace of the suites, every other second, to take its share while things are made.
  await components.controllerManager.kill();
  await components.controllerManager.start(MAKING_FLAGS);
  const namespace = await createNamespace('bench');
  const services = Array.from({ length: count }, (_, index) => `service-${index}`);
  using fleet = startPodFleet();
  await using operator = await startOperator({ namespaces: [namespace], env: await environmentOfImage() });

  const beganMs = performance.now();
  const before = await programMetrics(operator.metricsUrl);
  const manifests = services.map((name) =>
    JSON.stringify(modelService(name, { scaling: { minReplicas: PODS_EACH, maxReplicas: PODS_EACH + 1 } })),
  );
  const applied = kubectl(['apply', '--namespace', namespace, '-f', '-'], { input: manifests.join('\n---\n') }).then(
    () => performance.now() - beganMs,
  );
  for (const type of ['deployments', 'services', 'horizontalPodAutoscalers'] as const) {
    await eventually(() => countOf(type, namespace), {
      because: `each ModelService has its child among ${type}`,
      until: (found) => found >= count,
      deadlineMs: 300_000,
      intervalMs: 250,
    });
  }
  const madeMs = performance.now() - beganMs;
  const appliedMs = await applied;
  const after = await programMetrics(operator.metricsUrl);
  const spent = cpuSeconds(after) - cpuSeconds(before);
  const making = [
    ['from kubectl apply of all to their last child', `${(madeMs / 1000).toFixed(1)} s`],
    ['of that until kubectl had sent the last', `${(appliedMs / 1000).toFixed(1)} s`],
    ['CPU time of the operator for it', `${spent.toFixed(1)} s`],
  ];

  await using api = await startMetricsApi(namespace);
  await eventually(() => countOf('pods', namespace), {
    because: 'all pods are made',
    until: (found) => found >= count * PODS_EACH,
    deadlineMs: 300_000,
    intervalMs: 1000,
  });
  const pods = await testApi().list(RESOURCES.pods, { namespace });
  const places = placesOf(pods);
  await fleet.serve([...places.values()], METRICS_PORT);
  await each(pods, WRITERS, async (pod) => {
    await reportReady(pod, places.get(pod.metadata.name));
  });

  making.push(['memory of the operator', `${memoryMiB(await programMetrics(operator.metricsUrl))} MiB`]);
  const rows: string[][] = [];
  const hung = services.flatMap((service) => firstPlaceOf(service, pods, places));
  for (const [pace, flags] of [
    ['default', DEFAULT_FLAGS],
    ['raised', RAISED_FLAGS],
    ['even', EVEN_FLAGS],
  ] as const) {
    await components.controllerManager.kill();
    await components.controllerManager.start(flags);
    for (const [state, hangs] of [
      ['all answer', false],
      ['one of three hangs', true],
    ] as const) {
      await fleet.serve(hung, METRICS_PORT, hangs);
      const queries = async () => answeredQueries(await programMetrics(api.process.metricsUrl));
      const enough = (await queries()) + 2 * count;
      await eventually(queries, {
        because: 'the backlog of a controller that starts, and the first wait for each pod that hangs, are over',
        until: (answered) => answered >= enough,
        deadlineMs: 300_000,
        intervalMs: 1000,
      });
      const [fromMs, first] = [Date.now(), await programMetrics(api.process.metricsUrl)];
      await delay(measuredMs, undefined, { signal });
      const [toMs, second] = [Date.now(), await programMetrics(api.process.metricsUrl)];
      const reads = await autoscalerReads(fromMs, toMs);
      const within = [0.5, 0.99].map((share) => answeredWithin(first, second, share)).join(' / ');
      const cpu = ((cpuSeconds(second) - cpuSeconds(first)) * 1000) / reads.milliseconds.length;
      const row = [
        pace,
        state,
        reads.perSecond.toFixed(1),
        (count / reads.perSecond).toFixed(1),
        spread(reads.milliseconds),
        within,
        cpu.toFixed(2),
        `${reads.failed} of ${reads.milliseconds.length}`,
        `${memoryMiB(second)} MiB`,
        String(loadavg()[0]?.toFixed(1)),
      ];
      console.log(row.join('  '));
      rows.push(row);
    }
  }
  return {
    title: `${count.toLocaleString('en')} autoscalers`,
    text: [
      `Each ModelService has ${PODS_EACH} pods, which listen. The stock controller asks the metrics API for each autoscaler’s metric, through the API server. Times are p50 / p99 / max as the API server’s audit log has them; the metrics API itself knows the bucket of its histogram, p50 / p99.`,
      `Flags by default: \`${DEFAULT_FLAGS.join(' ')}\`. Raised: \`${RAISED_FLAGS.join(' ')}\`. Even: \`${EVEN_FLAGS.join(' ')}\`.`,
    ],
    tables: [
      { columns: ['', ''], rows: making },
      { columns: COLUMNS, rows },
    ],
    figures: { making, rows },
  };
}

async function countOf(type: keyof typeof RESOURCES, namespace: string): Promise<number> {
  const path = `${collectionPath(RESOURCES[type], namespace)}?limit=1`;
  const { body } = await testCluster().client.request('GET', path);
  const { items, metadata } = body as {
    readonly items: readonly object[];
    readonly metadata: { readonly remainingItemCount?: number };
  };
  return items.length + (metadata.remainingItemCount ?? 0);
}

/** Each pod has an address of this machine, of 127.0.0.0/8, in a block of its own for each run. */
function placesOf(pods: readonly AnyObject[]): ReadonlyMap<string, string> {
  const block = randomInt(1, 200);
  return new Map(
    pods.map(({ metadata }, index) => [
      metadata.name,
      `127.${block + (index >> 16)}.${(index >> 8) & 255}.${(index & 255) === 0 ? 255 : index & 255}`,
    ]),
  );
}

function firstPlaceOf(
  service: string,
  pods: readonly AnyObject[],
  places: ReadonlyMap<string, string>,
): readonly string[] {
  const found = pods.find(({ metadata }) => metadata.labels?.['modelservice.dev/name'] === service);
  const place = found === undefined ? undefined : places.get(found.metadata.name);
  return place === undefined ? [] : [place];
}
