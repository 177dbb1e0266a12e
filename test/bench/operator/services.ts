import { setTimeout as delay } from 'node:timers/promises';
import { KubeClient } from '../../../operator/src/kube/kube-client.ts';
import { loadAccess } from '../../../operator/src/kube/load-access.ts';
import { DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, POD, SERVICE } from '../../../operator/src/kube/resources.ts';
import { MODEL_SERVICE, type ModelService } from '../../../operator/src/modelservice/resource.ts';
import { Limiter } from '../../../operator/src/runtime/limiter.ts';
import { type AuditEvent, describeAuditEvent } from '../../cluster/audit-log.ts';
import type { ClusterLog, ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { conditionOf } from '../../integration/support/children.ts';
import { eventually } from '../../integration/support/eventually.ts';
import { follow } from '../../integration/support/follow.ts';
import { modelService } from '../../integration/support/manifests.ts';
import { createNamespace, deleteNamespace } from '../../integration/support/namespaces.ts';
import { createOperatorAccount, usernameOf } from '../../integration/support/operator-account.ts';
import { startOperator } from '../../integration/support/operator-process.ts';
import { makePodReady } from '../../integration/support/ready-pods.ts';
import { RESOURCES } from '../../integration/support/resource-types.ts';
import type { AnyObject } from '../../integration/support/test-api.ts';
import { testApi, testCluster } from '../../integration/support/test-run.ts';
import { environmentOfImage } from './compile-cache.ts';
import { measureFloor } from './floor.ts';
import { memoryOf } from './process-memory.ts';
import { cpuSeconds, programMetrics } from './readings.ts';
import {
  countRequests,
  isWriting,
  lastAnswerMs,
  preciseMs,
  type RequestCount,
  repairTimesMs,
  requestsBy,
} from './request-account.ts';
import { each, quantile } from './statistics.ts';

export interface ServicesOptions {
  readonly count: number;
  readonly restMs: number;
  readonly repairs: number;
}

/** What an operator of so many ModelServices did, and what it cost. */
export interface ServicesFigures {
  readonly services: number;
  readonly floorSeconds: number;
  /** From the start of the operator's process until its first write. */
  readonly startSeconds: number;
  /** From the operator's first write until the API server had made the last child, and until all were Ready. */
  readonly childrenSeconds: number;
  readonly readySeconds: number;
  /** Until all were Ready. */
  readonly requests: readonly RequestCount[];
  readonly cpuSecondsUntilReady: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
  readonly restSeconds: number;
  readonly writesAtRest: readonly string[];
  readonly cpuSecondsAtRest: number;
  readonly writesAfterRestart: readonly string[];
  readonly residentMiBAfterRestart: number;
  readonly peakMiBAfterRestart: number;
  readonly repairP50Ms: number;
  readonly repairP99Ms: number;
}

/** As `workers` of the chart. */
const WORKERS = 4;
const MAKERS = 16;
const KUBELETS = 8;
const CHILD_TYPES = [DEPLOYMENT, SERVICE, HORIZONTAL_POD_AUTOSCALER] as const;
const DEADLINE_MS = 1_800_000;

/**
 * On the cluster of the test run: makes ModelServices, each with an autoscaler, applies the children of the ones by a
 * plain loop, then starts an operator for the others and follows it.
 */
export async function measureServices(
  options: ServicesOptions,
  log: ClusterLog,
  signal: AbortSignal,
): Promise<ServicesFigures> {
  const access = await loadAccess({ KUBECONFIG: testCluster().kubeconfigPath });
  const client = new KubeClient({ access, userAgent: 'modelservice-bench' });
  const stopFollowing = new AbortController();
  const following: Promise<void>[] = [];
  const [floorNamespace, namespace] = [await createNamespace('floor'), await createNamespace('services')];
  try {
    const names = Array.from({ length: options.count }, (_, index) => `service-${index}`);
    for (const home of [floorNamespace, namespace]) await each(names, MAKERS, (name) => makeService(home, name));
    // Beside the loop, too: what else the machine has to do is the same for both.
    following.push(playKubelet(client, floorNamespace, stopFollowing.signal));
    const floorMs = await measureFloor(client, floorNamespace, WORKERS, signal);
    log(`${options.count} services: the plain loop took ${(floorMs / 1000).toFixed(1)} s`);
    await awaitPods(floorNamespace, options.count);

    following.push(playKubelet(client, namespace, stopFollowing.signal));
    const ready = countReady(client, namespace, options.count, stopFollowing.signal);
    following.push(ready.ended);
    const account = await createOperatorAccount(namespace);
    return await followOperator({ ...options, log, names, namespace, account, floorMs, allReady: ready.all });
  } finally {
    stopFollowing.abort();
    await Promise.all(following);
    await client.close();
    // Not waited for; to suites that come later in the same cluster they are gone.
    for (const made of [floorNamespace, namespace]) await deleteNamespace(made);
  }
}

interface Run extends ServicesOptions {
  readonly log: ClusterLog;
  readonly names: readonly string[];
  readonly namespace: string;
  readonly account: ServiceAccountRef;
  readonly floorMs: number;
  readonly allReady: Promise<void>;
}

async function followOperator(run: Run): Promise<ServicesFigures> {
  const user = usernameOf(run.account);
  const options = {
    kubeconfig: await testCluster().kubeconfigFor(run.account),
    namespaces: [run.namespace],
    args: [`--workers=${WORKERS}`],
    env: await environmentOfImage(),
  };
  const beganMs = Date.now();
  const first = await startOperator(options);
  let readyMs: number;
  let cpuUntilReady: number;
  let resting: Awaited<ReturnType<typeof restingAt>>;
  let memory: Awaited<ReturnType<typeof memoryOf>>;
  let repairs: Repairs;
  try {
    await run.allReady;
    readyMs = Date.now();
    run.log(`${run.count} services: all are Ready after ${((readyMs - beganMs) / 1000).toFixed(1)} s`);
    cpuUntilReady = cpuSeconds(await programMetrics(first.metricsUrl));
    await quiet(user);
    const cpuBefore = cpuSeconds(await programMetrics(first.metricsUrl));
    resting = await restingAt(
      user,
      run.restMs,
      async () => cpuSeconds(await programMetrics(first.metricsUrl)) - cpuBefore,
    );
    memory = await memoryOf(first);
    repairs = await repair(run, user);
    await quiet(user);
  } finally {
    await first.stop();
  }
  const restartedMs = Date.now();
  const second = await startOperator(options);
  try {
    await delay(run.restMs);
    const events = await allEvents();
    const afterRestart = requestsBy(events, user, restartedMs, Date.now());
    const untilReady = requestsBy(events, user, beganMs, readyMs);
    const firstWriteMs = Math.min(
      ...untilReady.filter(isWriting).map((event) => preciseMs(event.requestReceivedTimestamp)),
    );
    const isChild = ({ objectRef }: AuditEvent) => CHILD_TYPES.some(({ plural }) => plural === objectRef?.resource);
    const restarted = await memoryOf(second);
    return {
      services: run.count,
      floorSeconds: run.floorMs / 1000,
      startSeconds: (firstWriteMs - beganMs) / 1000,
      childrenSeconds:
        (lastAnswerMs(untilReady.filter((event) => isWriting(event) && isChild(event))) - firstWriteMs) / 1000,
      readySeconds: (readyMs - firstWriteMs) / 1000,
      requests: countRequests(untilReady),
      cpuSecondsUntilReady: cpuUntilReady,
      ...memory,
      restSeconds: run.restMs / 1000,
      writesAtRest: resting.writes,
      cpuSecondsAtRest: resting.cpu,
      writesAfterRestart: afterRestart.filter(isWriting).map(describeAuditEvent),
      residentMiBAfterRestart: restarted.residentMiB,
      peakMiBAfterRestart: restarted.peakMiB,
      ...repairs,
    };
  } finally {
    await second.stop();
  }
}

async function makeService(namespace: string, name: string): Promise<void> {
  const { spec } = modelService(name, { scaling: { minReplicas: 1, maxReplicas: 3 } });
  await testApi().create(RESOURCES.modelServices, { metadata: { namespace, name }, spec });
}

/** Each pod is told to be ready once it is there, in its status alone. */
async function playKubelet(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  const kubelets = new Limiter(KUBELETS);
  const seen = new Set<string>();
  const making: Promise<void>[] = [];
  const take = (pod: AnyObject): void => {
    if (seen.has(pod.metadata.uid)) return;
    seen.add(pod.metadata.uid);
    // It may be gone again: that of a Deployment that was deleted.
    making.push(kubelets.run(() => makePodReady(pod)).catch(() => undefined));
  };
  await follow(client, POD, namespace, take, signal);
  await Promise.all(making);
}

function countReady(client: KubeClient, namespace: string, wanted: number, signal: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ready = new Set<string>();
  const ended = follow<ModelService>(
    client,
    MODEL_SERVICE,
    namespace,
    (service) => {
      if (conditionOf(service as unknown as AnyObject, 'Ready')?.status === 'True') ready.add(service.metadata.name);
      if (ready.size >= wanted) resolve();
    },
    signal,
  );
  return { all: promise, ended };
}

/** The controllers have made what belongs to the loop's Deployments, so that they leave the machine to the operator. */
async function awaitPods(namespace: string, count: number): Promise<void> {
  await eventually(async () => (await testApi().list(RESOURCES.pods, { namespace })).length, {
    because: 'the Deployments of the plain loop have their pods',
    until: (pods) => pods >= count,
    deadlineMs: DEADLINE_MS,
    intervalMs: 2000,
  });
}

/** Waits until the operator has sent no write between two looks. */
async function quiet(user: string): Promise<void> {
  let last = -1;
  const since = async (): Promise<number> => {
    const before = last;
    last = requestsBy(await allEvents(), user, 0, Date.now()).filter(isWriting).length;
    return last - before;
  };
  await eventually(since, {
    because: 'the operator has come to rest',
    until: (writes) => writes === 0,
    deadlineMs: DEADLINE_MS,
    intervalMs: 3000,
  });
}

async function restingAt(user: string, restMs: number, cpuSince: () => Promise<number>) {
  const fromMs = Date.now();
  await delay(restMs);
  const cpu = await cpuSince();
  const writes = requestsBy(await allEvents(), user, fromMs, Date.now()).filter(isWriting);
  return { cpu, writes: writes.map(describeAuditEvent) };
}

type Repairs = Pick<ServicesFigures, 'repairP50Ms' | 'repairP99Ms'>;

/** Deletes one child after the other, each of another service, and waits until it is there again. */
async function repair({ namespace, names, repairs }: Run, user: string): Promise<Repairs> {
  const fromMs = Date.now();
  for (let index = 0; index < repairs; index++) {
    const type = CHILD_TYPES[index % CHILD_TYPES.length] ?? DEPLOYMENT;
    const ref = { namespace, name: names[index % names.length] ?? '' };
    const { uid } = (await testApi().get(type, ref)).metadata;
    await testApi().delete(type, ref);
    await eventually(() => testApi().find(type, ref), {
      because: `${type.kind} ${ref.name} is there again`,
      until: (object) => object !== undefined && object.metadata.uid !== uid,
      intervalMs: 20,
    });
  }
  const ours = ({ verb, objectRef, user: { username } }: AuditEvent): boolean =>
    verb === 'delete' && objectRef?.namespace === namespace && username === 'test-admin';
  const times = await eventually(
    async () => {
      const events = (await allEvents()).filter((event) => preciseMs(event.requestReceivedTimestamp) >= fromMs);
      return repairTimesMs(events, events.filter(ours), user).toSorted((a, b) => a - b);
    },
    { because: 'the audit log has what was made last', until: ({ length }) => length === repairs, intervalMs: 500 },
  );
  return { repairP50Ms: quantile(times, 0.5), repairP99Ms: quantile(times, 0.99) };
}

async function allEvents(): Promise<readonly AuditEvent[]> {
  const { auditEvents } = testCluster();
  if (auditEvents === undefined) throw new Error('The benchmark needs a cluster whose audit log it can read.');
  return await auditEvents();
}
