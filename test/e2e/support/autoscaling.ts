import type { KubeObject } from '../../../operator/src/kube/types.ts';
import { kubectl } from '../../integration/support/kubectl.ts';
import { RESOURCES } from '../../integration/support/resource-types.ts';
import { testApi } from '../../integration/support/test-run.ts';
import { type Condition, conditionOf, getModelService, hasCondition, podsOf, type ServiceRef } from './observed.ts';

const API = '/apis/custom.metrics.k8s.io/v1beta2';

/** What `kubectl get --raw` shows of a ModelService's metric, by pod: Kubernetes' quantities, such as `1500m`. */
export async function metricOfPods(
  { namespace, name }: ServiceRef,
  metric: string,
): Promise<Readonly<Record<string, string>>> {
  const selector = encodeURIComponent(`modelservice.dev/name=${name}`);
  const answer = await kubectl([
    'get',
    '--raw',
    `${API}/namespaces/${namespace}/pods/*/${metric}?labelSelector=${selector}`,
  ]);
  const { items } = JSON.parse(answer) as MetricValueList;
  return Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, value]));
}

interface MetricValueList {
  readonly items: readonly { readonly describedObject: { readonly name: string }; readonly value: string }[];
}

/** How many pods are ready and stay. */
export async function readyPods(ref: ServiceRef): Promise<number> {
  const pods = await podsOf(ref);
  return pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && hasCondition(pod, 'Ready')).length;
}

export async function autoscalingActive(ref: ServiceRef): Promise<Condition | undefined> {
  return conditionOf(await getModelService(ref), 'AutoscalingActive');
}

export interface AutoscalerEvent {
  readonly reason: string;
  readonly note: string;
  readonly lastSeenMs: number;
}

/** What a service's autoscaler told of itself; an event that comes again is one that was seen later. */
export async function autoscalerEvents({ namespace, name }: ServiceRef): Promise<readonly AutoscalerEvent[]> {
  const events = await testApi().list<EventObject>(RESOURCES.events, { namespace });
  return events
    .filter(({ regarding }) => regarding.kind === 'HorizontalPodAutoscaler' && regarding.name === name)
    .map(({ reason, note, metadata, deprecatedLastTimestamp = metadata.creationTimestamp ?? '' }) => ({
      reason,
      note,
      lastSeenMs: Date.parse(deprecatedLastTimestamp),
    }));
}

interface EventObject extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
  /** In seconds, which the autoscaler's way of telling events still writes. */
  readonly deprecatedLastTimestamp?: string;
}
