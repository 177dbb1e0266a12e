// What can be seen of an autoscaler's work: the metric as it reads it, its reads, its events, and the sizes it made.
import type { KubeObject } from '../../../operator/src/kube/types.ts';
import type { AuditEvent } from '../../cluster/audit-log.ts';
import { field } from './children.ts';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { RESOURCES } from './resource-types.ts';
import { collectionPath } from './test-api.ts';
import { testApi, testCluster } from './test-run.ts';

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

export const IN_FLIGHT = 'modelservice_in_flight_avg15s';
const METRICS = '/apis/custom.metrics.k8s.io/v1beta2';
const CONTROLLER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';

/** What the autoscaler asks for: a metric of each ready pod of a ModelService. */
export function metricPath({ namespace, name }: ServiceRef, metric = IN_FLIGHT): string {
  const selector = encodeURIComponent(`modelservice.dev/name=${name}`);
  return `${METRICS}/namespaces/${namespace}/pods/*/${metric}?labelSelector=${selector}`;
}

/** What `kubectl get --raw` shows of each pod that answers. */
export async function metricValues(ref: ServiceRef): Promise<readonly number[]> {
  const { items } = JSON.parse(await kubectl(['get', '--raw', metricPath(ref)])) as {
    readonly items: readonly { readonly value: string }[];
  };
  return items.map(({ value }) => numberOf(value));
}

/** Of a quantity in whole numbers or thousandths. */
export function numberOf(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);
}

/** How the API server answered the autoscaler's reads of a ModelService's metric since then: status codes, oldest first. */
export async function metricReads(ref: ServiceRef, sinceMs: number): Promise<readonly number[]> {
  return (await readEvents(ref, sinceMs)).map(({ responseStatus }) => responseStatus?.code ?? 0);
}

/** Path and query of those reads, oldest first. */
export async function metricReadTargets(ref: ServiceRef, sinceMs: number): Promise<readonly string[]> {
  return (await readEvents(ref, sinceMs)).map(({ requestURI }) => requestURI);
}

async function readEvents({ namespace, name }: ServiceRef, sinceMs: number): Promise<readonly AuditEvent[]> {
  const { auditEvents } = testCluster();
  if (auditEvents === undefined) throw new Error('The audit log of this cluster cannot be read.');
  const target = new RegExp(`modelservice\\.dev%2Fname%3D${name}(%2C|&|$)`);
  return (await auditEvents()).filter(
    ({ user, objectRef, requestURI, stage, requestReceivedTimestamp }) =>
      stage === 'ResponseComplete' &&
      user.username === CONTROLLER &&
      objectRef?.namespace === namespace &&
      requestURI.includes('/custom.metrics.k8s.io/') &&
      target.test(requestURI) &&
      Date.parse(requestReceivedTimestamp) > sinceMs,
  );
}

/** Waits until the autoscaler has read the metric so often since then, or tried to. */
export async function awaitMetricReads(ref: ServiceRef, sinceMs: number, count: number): Promise<readonly number[]> {
  return await eventually(() => metricReads(ref, sinceMs), {
    because: `the autoscaler of ${ref.name} reads its metric ${count} times`,
    until: (codes) => codes.length >= count,
    deadlineMs: 90_000,
    intervalMs: 500,
  });
}

/** What a ModelService's autoscaler said since then of something that failed. */
export async function failedReads({ namespace, name }: ServiceRef, sinceMs: number): Promise<readonly unknown[]> {
  const events = await testApi().list(RESOURCES.events, { namespace });
  return events.filter(
    (event) =>
      field(event, 'regarding', 'kind') === 'HorizontalPodAutoscaler' &&
      field(event, 'regarding', 'name') === name &&
      String(event.reason).startsWith('Failed') &&
      // In seconds, and of one that came again the last time.
      Date.parse(String(event.deprecatedLastTimestamp ?? event.metadata.creationTimestamp)) > sinceMs,
  );
}

interface SizedDeployment extends KubeObject {
  readonly spec: { readonly replicas: number };
}

/** Every size that a Deployment had since a moment. */
export class SizeHistory {
  readonly #ref: ServiceRef;
  #last: SizedDeployment;
  readonly #sizes: number[];

  private constructor(ref: ServiceRef, now: SizedDeployment) {
    this.#ref = ref;
    this.#last = now;
    this.#sizes = [now.spec.replicas];
  }

  static async begin(ref: ServiceRef): Promise<SizeHistory> {
    return new SizeHistory(ref, await testApi().get(RESOURCES.deployments, ref));
  }

  /**
   * Sizes so far, oldest first, the same one twice where the Deployment changed otherwise. To be asked for before the API
   * server is taken away too: one that starts anew does not know what was.
   *
   * @throws where something is missing, which the Deployment's generation tells
   */
  async sizes(): Promise<readonly number[]> {
    const { namespace, name } = this.#ref;
    const query = `watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D${name}`;
    const path = collectionPath(RESOURCES.deployments, namespace);
    const from = this.#last.metadata.resourceVersion;
    const text = await kubectl(['get', '--raw', `${path}?${query}&resourceVersion=${from}`]);
    const events = text.split('\n').filter((line) => line !== '');
    for (const { type, object } of events.map((line) => JSON.parse(line) as WatchEvent)) {
      if (type === 'ERROR') this.#add(await testApi().get(RESOURCES.deployments, this.#ref));
      else this.#add(object);
    }
    return this.#sizes;
  }

  #add(next: SizedDeployment): void {
    const [before = 0, after = 0] = [this.#last, next].map(({ metadata }) => metadata.generation);
    if (after > before + 1)
      throw new Error(`A change of Deployment ${this.#ref.name} was missed: ${before} → ${after}`);
    this.#last = next;
    this.#sizes.push(next.spec.replicas);
  }
}

interface WatchEvent {
  readonly type: string;
  readonly object: SizedDeployment;
}

/** Whether a number is followed by a smaller one. */
export function everShrank(sizes: readonly number[]): boolean {
  return sizes.some((size, index) => size < (sizes[index - 1] ?? size));
}
