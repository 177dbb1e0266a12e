import { NAME_LABEL } from '../conventions.ts';
import { isPodReady, type Pod } from '../live-objects.ts';
import { timeOf } from '../plan/idleness.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';
import { timestamp } from './timestamp.ts';

/** Mounting volumes and joining the network takes seconds, a disk that moves from another node a minute or two. */
const USUAL_MS = 120_000;

/**
 * The node does not get the pod's volumes or its network ready. Why stands in the kubelet's Events alone, which are not
 * watched for this: of thousands of services hardly one ever needs them.
 */
export function setupFailing(
  pod: Pod,
  { metadata }: ModelService,
  _pods: readonly Pod[],
  now: number,
): Problem | undefined {
  const since = setUpSince(pod);
  if (since === undefined || now - since < USUAL_MS) return undefined;
  return {
    reason: 'PodSetupFailing',
    message: `A pod has had a node since ${timestamp(since)}, and its volumes or its network are not ready there: see the events in kubectl describe pod -l ${NAME_LABEL}=${metadata.name}`,
  };
}

/** When a pod that is being set up will have taken too long for it; undefined: none is. */
export function setupOverdueInMs(pods: readonly Pod[], now: number): number | undefined {
  const left = pods
    .filter((pod) => !isPodReady(pod) && pod.metadata.deletionTimestamp === undefined)
    .map(setUpSince)
    .filter((since) => since !== undefined)
    .map((since) => since + USUAL_MS - now)
    .filter((leftMs) => leftMs > 0);
  return left.length === 0 ? undefined : Math.min(...left);
}

/** Since when the kubelet has had the pod, in milliseconds since the epoch; undefined once its containers may start. */
function setUpSince({ status }: Pod): number | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const conditionOf = (type: string) => (status.conditions ?? []).find((condition) => condition.type === type);
  const scheduled = conditionOf('PodScheduled');
  if (conditionOf('PodReadyToStartContainers')?.status !== 'False' || scheduled?.status !== 'True') return undefined;
  return timeOf(scheduled.lastTransitionTime);
}
