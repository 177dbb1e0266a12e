import { TEMPLATE_LABEL } from '../conventions.ts';
import { type Deployment, type DeploymentStrategy, isPodReady, type Pod } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { timeOf } from './idleness.ts';

/** A new pod answers before an old one goes: no request is lost, and a failed rollout leaves the old pods serving. */
export const SURGE: DeploymentStrategy = {
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 },
};
/** An old pod goes before a new one comes: never more pods than are wanted, one fewer meanwhile. */
export const REPLACE: DeploymentStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };

/** So long a new pod waits for a GPU that another rollout, or a node that comes, may free. */
export const CAPACITY_PATIENCE_MS = 30_000;

export interface RolloutDecision {
  /** Of the Deployment. */
  readonly strategy: DeploymentStrategy;
  /**
   * `Replacing`: there is no GPU for old and new pods at once, so old ones go first. `Blocked`: that would leave nobody
   * to answer, so the new pod waits.
   */
  readonly capacity: 'Enough' | 'Replacing' | 'Blocked';
  /** When to look again without an event; undefined: never. */
  readonly requeueAfterMs: number | undefined;
}

/** While nothing is in the way. */
export const SURGING: RolloutDecision = { strategy: SURGE, capacity: 'Enough', requeueAfterMs: undefined };

/**
 * How pods are replaced by those of a new template. What an Auto rollout has come to stands in the Deployment's own
 * strategy, so that an operator that has just started goes on with it; when the last old pod is gone it is back at
 * surging, which makes no pod anew.
 *
 * @param pods newest first
 * @param now milliseconds since the epoch
 */
export function decideRollout(
  service: ModelService,
  deployment: Deployment | undefined,
  pods: readonly Pod[],
  now: number,
  patienceMs: number = CAPACITY_PATIENCE_MS,
): RolloutDecision {
  const { strategy, allowInterruption } = service.spec.rollout;
  if (strategy === 'Replace') return { ...SURGING, strategy: REPLACE };
  if (strategy === 'Surge' || deployment === undefined || !isRollingOut(deployment)) return SURGING;

  const present = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const newest = templateOf(present[0]);
  const old = present.filter((pod) => templateOf(pod) !== newest);
  const replacing = deployment.spec.strategy?.rollingUpdate?.maxSurge === 0;
  if (!replacing) {
    const since = old.length === 0 ? undefined : waitingSince(service, present, newest);
    if (since === undefined) return SURGING;
    const leftMs = since + patienceMs - now;
    if (leftMs > 0) return { ...SURGING, requeueAfterMs: leftMs };
  }
  const interrupts = (deployment.spec.replicas ?? 1) < 2 && old.some(isPodReady);
  if (interrupts && !allowInterruption) return { ...SURGING, capacity: 'Blocked' };
  return { ...SURGING, strategy: REPLACE, capacity: 'Replacing' };
}

/** Since when a pod of the newest template has had no node for lack of a GPU; undefined: none lacks one. */
function waitingSince(service: ModelService, pods: readonly Pod[], newest: string | undefined): number | undefined {
  const { gpu } = service.spec;
  if (gpu === undefined) return undefined;
  const times = pods
    .filter((pod) => templateOf(pod) === newest)
    .flatMap(({ status }) => status?.conditions ?? [])
    .filter(
      ({ type, status, reason, message = '' }) =>
        type === 'PodScheduled' &&
        status === 'False' &&
        reason === 'Unschedulable' &&
        message.includes(`Insufficient ${gpu.resourceName}`),
    )
    .map(({ lastTransitionTime }) => timeOf(lastTransitionTime))
    .filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** There are pods of a former template, or the Deployment's controller has not looked yet. */
function isRollingOut({ metadata, status }: Deployment): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = status ?? {};
  return observedGeneration < (metadata.generation ?? 0) || replicas !== updatedReplicas;
}

function templateOf(pod: Pod | undefined): string | undefined {
  return pod?.metadata.labels?.[TEMPLATE_LABEL];
}
