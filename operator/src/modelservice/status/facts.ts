import { DEPLOYMENT, SERVICE } from '../../kube/resources.ts';
import type { Deployment, HorizontalPodAutoscaler, Pod, ScaledObject } from '../live-objects.ts';
import type { ActivityReading } from '../observed.ts';
import type { OutsideAutoscaler } from '../outside-autoscaler.ts';
import { progressDeadlineSeconds } from '../plan/deployment.ts';
import type { RolloutDecision } from '../plan/rollout-strategy.ts';
import { idleSince, isWaking, type ScaleToZero } from '../plan/scale-to-zero.ts';
import { type ModelService, previousCondition } from '../resource.ts';
import { admissionProblem } from './admission-problem.ts';
import { capacityProblem } from './capacity-problem.ts';
import type { MetricsFacts } from './metrics-api-problem.ts';
import { podProblem } from './pod-problem.ts';
import type { ChildProblem, Problem } from './problem.ts';

/** What the status is made from. */
export interface StatusInput {
  readonly service: ModelService;
  /** As it is after this pass' writes; undefined where there is none of ours. */
  readonly deployment: Deployment | undefined;
  /** Whether this pass changed the Deployment. */
  readonly deploymentChanged: boolean;
  readonly pods: readonly Pod[];
  /** Absent where there is none of ours. */
  readonly autoscaler?: HorizontalPodAutoscaler | undefined;
  /** Absent where nobody else sets the size. */
  readonly outsideAutoscaler?: OutsideAutoscaler | undefined;
  /** Absent where KEDA does not scale. */
  readonly scaledObject?: ScaledObject | undefined;
  /** What others set in the server's container; absent where there is no Deployment of ours. */
  readonly foreignFields?: readonly string[] | undefined;
  readonly problems: readonly ChildProblem[];
  /** Absent: nothing is known. */
  readonly metrics?: MetricsFacts | undefined;
  /** Absent where the service may not go to zero and is not there. */
  readonly scaleToZero?: Pick<ScaleToZero, 'obstacle' | 'holders'> | undefined;
  /** Of the pods that are wanted; absent: none can be made. */
  readonly revision?: string | undefined;
  /** Whether a rollout finds room for its pods; absent: nothing is known. */
  readonly capacity?: RolloutDecision['capacity'] | undefined;
  /** What ready pods said of their activity, by their uid. */
  readonly activity?: ReadonlyMap<string, ActivityReading> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The answers that the conditions are decided from. */
export interface Facts {
  readonly ready: number;
  /** How many pods have to answer. */
  readonly minimum: number;
  /** How many pods are wanted now; zero is suspended, or set by hand. */
  readonly wanted: number;
  /** Wanted is zero because nobody asks, and `held` says whether the gateway holds requests. */
  readonly idle: boolean;
  /** Pods were asked for after a time at zero, and none has been ready since. */
  readonly waking: boolean;
  readonly held: boolean;
  /** The Deployment's pods are all of the present spec. */
  readonly rolledOut: boolean;
  /** Pods did not become ready within the time that they have. */
  readonly expired: boolean;
  /** Until `expired` has to be looked at again without an event; undefined: never. */
  readonly expiresInMs: number | undefined;
  readonly deploymentProblem: Problem | undefined;
  readonly serviceProblem: Problem | undefined;
  /** The first of all. */
  readonly problem: Problem | undefined;
  /** Why pods do not answer, as far as they show it. */
  readonly cause: Problem | undefined;
}

export function factsOf(input: StatusInput): Facts {
  const { service, deployment, problems } = input;
  const ready = deployment?.status?.readyReplicas ?? 0;
  const wanted = service.spec.suspend ? 0 : (deployment?.spec.replicas ?? service.spec.scaling.minReplicas);
  // Zero is what a least of 0 allows when nobody asks; otherwise somebody has to answer.
  const minimum = Math.min(wanted, Math.max(1, service.spec.scaling.minReplicas));
  const rolledOut = isRolledOut(input);
  const shown = podProblem(service, input.pods, input.now);
  const pods = capacityProblem(service, input.capacity ?? 'Enough', shown) ?? shown;
  return {
    ready,
    wanted,
    minimum,
    idle: !service.spec.suspend && idleSince(deployment) !== undefined,
    waking: wanted > 0 && ready === 0 && isWaking(deployment),
    held: (input.scaleToZero?.holders ?? []).length > 0,
    rolledOut,
    ...expiry(input, ready >= minimum, rolledOut),
    deploymentProblem: problems.find(({ kind }) => kind === DEPLOYMENT.kind),
    serviceProblem: problems.find(({ kind }) => kind === SERVICE.kind),
    problem: problems[0],
    cause: settled(service, pausedRollout(input, rolledOut) ?? refusedPods(deployment) ?? pods),
  };
}

function isRolledOut({ service, deployment, deploymentChanged }: StatusInput): boolean {
  if (deployment === undefined) return false;
  const { generation = 0 } = deployment.metadata;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = deployment.status ?? {};
  if (observedGeneration >= generation) return replicas === updatedReplicas;
  // Its controller has not looked yet. If the change was not ours (the autoscaler's number), nothing is new for us.
  const before = previousCondition(service, 'Reconciling');
  return !deploymentChanged && before?.status === 'False' && before.observedGeneration === service.metadata.generation;
}

/**
 * While a rollout goes on, the Deployment's own deadline counts. Where it is complete and pods stopped answering later,
 * the Deployment keeps quiet, and the same time counts from when we noticed.
 */
function expiry(
  { service, deployment, now }: StatusInput,
  enough: boolean,
  rolledOut: boolean,
): Pick<Facts, 'expired' | 'expiresInMs'> {
  // Its controller counts no time, and it goes on only when somebody says so.
  if (deployment?.spec.paused === true && !rolledOut) return { expired: true, expiresInMs: undefined };
  const progressing = deployment?.status?.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return { expired: true, expiresInMs: undefined };
  if (enough || progressing?.reason !== 'NewReplicaSetAvailable') return { expired: false, expiresInMs: undefined };
  const stalled = previousCondition(service, 'Stalled');
  if (
    stalled?.status === 'True' &&
    stalled.observedGeneration === service.metadata.generation &&
    !['NameTaken', 'NoServerImage', 'ResourceClaimsNotServed', 'NoGatewayPort', 'Refused'].includes(stalled.reason)
  ) {
    return { expired: true, expiresInMs: undefined };
  }
  const reconciling = previousCondition(service, 'Reconciling');
  const since = reconciling?.status === 'True' ? Date.parse(reconciling.lastTransitionTime) : now;
  const leftMs = since + progressDeadlineSeconds(service) * 1000 - now;
  return leftMs <= 0 ? { expired: true, expiresInMs: undefined } : { expired: false, expiresInMs: leftMs };
}

/** Pods that the API server does not admit show up nowhere but here. */
function refusedPods(deployment: Deployment | undefined): Problem | undefined {
  const failure = deployment?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status !== 'True') return undefined;
  return admissionProblem(failure.message ?? failure.reason ?? '');
}

function pausedRollout({ service, deployment }: StatusInput, rolledOut: boolean): Problem | undefined {
  if (deployment?.spec.paused !== true || rolledOut) return undefined;
  return {
    reason: 'RolloutPaused',
    message: `Somebody paused the Deployment: go on with kubectl rollout resume deployment ${service.metadata.name}.`,
  };
}

/**
 * An older kubelet says between two tries only that it waits with pulling the image: then what was told of the last try
 * holds.
 */
function settled(service: ModelService, cause: Problem | undefined): Problem | undefined {
  if (cause?.reason !== 'ImagePullFailed') return cause;
  const before = previousCondition(service, 'Ready');
  if (before === undefined || before.observedGeneration !== service.metadata.generation) return cause;
  const { reason, message } = before;
  return reason === 'ImageNotFound' || reason === 'ImagePullDenied' ? { reason, message } : cause;
}
