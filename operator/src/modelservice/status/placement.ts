import type { Pod, StatusCondition } from '../live-objects.ts';
import { timeOf } from '../plan/idleness.ts';
import type { Problem } from './problem.ts';
import { serverStatus } from './server-status.ts';
import { withoutFullStop } from './shortened.ts';

/** What to do about it, by what the scheduler says; the first that fits. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/Insufficient (cpu|memory|ephemeral-storage)\b/, 'Add such a node, or lower spec.server.resources.requests.'],
  [/Insufficient /, 'Add such a node, wait until one is free, or change spec.gpu.'],
  [/affinity|selector/, 'Label a node so, or change spec.pod.nodeSelector, spec.pod.affinity or spec.gpu.product.'],
  [/untolerated taint/, 'Add a node without that taint, or tolerate it with spec.pod.tolerations.'],
  [/topology spread/, 'Add such a node, or change spec.pod.topologySpreadConstraints.'],
  [/resource claim|resourceclaim|device/i, 'Add such a device, or change spec.pod.resourceClaims.'],
];

/** No node takes the pod: with what is missing, and how many nodes the scheduler looked at. */
export function unschedulable(pod: Pod): Problem | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  if (scheduled.reason === 'SchedulingGated') {
    return {
      reason: 'SchedulingGated',
      message: 'A scheduling gate holds the pods back: whoever added it has to take it away.',
    };
  }
  if (scheduled.reason !== 'Unschedulable') return undefined;
  // What preempting others would bring is the scheduler's own business.
  const why = withoutFullStop(
    (scheduled.message ?? '').replace(/\.? *(no new claims to deallocate|preemption:).*$/s, ''),
  );
  const remedy = REMEDIES.find(([pattern]) => pattern.test(why))?.[1] ?? 'Add such a node, or change spec.pod.';
  return { reason: 'Unschedulable', message: `No node can take a pod: ${why}. ${remedy}` };
}

/** The node's kubelet fell silent: the pod is called unready for it, while its containers' last word was that they are. */
export function nodeLost(pod: Pod): Problem | undefined {
  const [ready, containers] = [conditionOf(pod, 'Ready'), conditionOf(pod, 'ContainersReady')];
  if (ready?.status !== 'False' || containers?.status !== 'True' || serverStatus(pod)?.ready !== true) return undefined;
  return {
    reason: 'NodeLost',
    message: `The node of a pod has not answered since ${ready.lastTransitionTime ?? 'some time'}: see kubectl get nodes. Kubernetes makes the pod anew elsewhere after 5 minutes.`,
  };
}

/** By the reason of the pod's DisruptionTarget (pkg/apis/core/types.go). */
const DISRUPTIONS: Readonly<Record<string, string>> = {
  PreemptionByScheduler:
    'A pod had to make room for one of higher priority: add nodes, or set spec.pod.priorityClassName.',
  DeletionByTaintManager: 'A pod had to leave its node for a taint: see kubectl get nodes.',
  DeletionByPodGC: 'A pod was lost with its node.',
  EvictionByEvictionAPI: 'A pod had to leave its node, which is being drained.',
};
/** What a Deployment takes at most to make a pod in place of one that was ended. */
const REPLACED_WITHIN_MS = 60_000;

/** A pod was ended for what is not its own doing, and the one made in its place does not answer yet. */
export function disrupted(pod: Pod, _service: unknown, pods: readonly Pod[]): Problem | undefined {
  const target = conditionOf(pod, 'DisruptionTarget');
  const { reason, message = '' } = pod.status ?? {};
  if (target?.status !== 'True' && reason !== 'Evicted') return undefined;
  const endedAt = timeOf(target?.lastTransitionTime);
  const newest = timeOf(pods[0]?.metadata.creationTimestamp);
  // One that ended long ago is still listed, and has nothing to do with what happens now.
  if (endedAt !== undefined && newest !== undefined && newest > endedAt + REPLACED_WITHIN_MS) return undefined;
  if (reason === 'Evicted') {
    // How much the pod used is of the moment.
    const why = /^(The node was low on resource: [^.]+|[^.]+)\.?/.exec(message)?.[1] ?? 'The node ran out of something';
    return {
      reason: 'Evicted',
      message: `A pod was evicted: ${why}. Set spec.server.resources.requests to what the server uses.`,
    };
  }
  return {
    reason: 'Disrupted',
    message: DISRUPTIONS[target?.reason ?? ''] ?? `A pod was ended: ${withoutFullStop(target?.message ?? '')}.`,
  };
}

function conditionOf(pod: Pod, type: string): StatusCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}
