import { durationMs } from '../../runtime/duration.ts';
import { IDLE_SINCE_ANNOTATION } from '../conventions.ts';
import { type Deployment, type EndpointSlice, isPodReady, type Pod } from '../live-objects.ts';
import type { ActivityReading, GatewayPod, ObservedGateway } from '../observed.ts';
import { type ModelService, previousCondition } from '../resource.ts';
import { idlenessOf, timeOf } from './idleness.ts';
import { ownsReplicas } from './owned-replicas.ts';

/** So long a service stays at zero without a pod of the gateway that would hold its requests. */
export const GATEWAY_PATIENCE_MS = 30_000;
/** When a service that nobody asks is looked at again while no pod of the gateway would hold its requests. */
const NO_HOLDER_RETRY_MS = 15_000;
/** When it is looked at again whether the Service leads to a pod that is ready. */
const UNREACHABLE_RETRY_MS = 500;
/**
 * By how much the gateway's clock may be behind ours. A service goes to zero only when the last wake request is older
 * than idleAfter, which is at least twice as long, so a former request is never taken for a new one.
 */
const CLOCK_TOLERANCE_MS = 5_000;

/** Why a service that may go to zero does not, or must not stay there. */
export type ZeroObstacle =
  | 'OutsideAutoscaler'
  | 'NoGateway'
  | 'NoGatewayPort'
  | 'GatewayNotReady'
  | 'ActivityUnknown'
  | 'RolloutInProgress';

export interface ScaleToZeroInput {
  readonly service: ModelService;
  readonly deployment: Deployment | undefined;
  readonly slice: EndpointSlice | undefined;
  /** The gateway's port for this service. */
  readonly port: number | undefined;
  readonly pods: readonly Pod[];
  readonly activity: ReadonlyMap<string, ActivityReading>;
  readonly gateway: ObservedGateway | undefined;
  readonly reachable?: boolean | undefined;
  /** Somebody else's autoscaler sets the Deployment's size. Default: false. */
  readonly scaledOutside?: boolean | undefined;
  readonly now: number;
}

/** One step on the way to zero and back; each is decided from what is observed, so any may be the first of a process. */
export type ZeroStep = 'GoToZero' | 'StayAtZero' | 'Wake' | 'KeepWaking' | 'EndWaking';

export interface ScaleToZero {
  /** What to do about the size; undefined: nothing of ours. */
  readonly step: ZeroStep | undefined;
  /** Whether the slice is there at all. */
  readonly wantsSlice: boolean;
  /** Whom the slice names. */
  readonly holders: readonly GatewayPod[];
  /** Whether the gateway's pods are to be asked what they listen for. */
  readonly asksGateway: boolean;
  /** Whether the service's pods are to be asked for their activity. */
  readonly asksPods: boolean;
  /** Undefined where nothing is in the way, or the service may not go to zero. */
  readonly obstacle: ZeroObstacle | undefined;
  /** When to look again without an event; undefined: never. */
  readonly requeueAfterMs: number | undefined;
}

/** Of a service that may not go to zero, and is not there. */
export const NOT_TO_ZERO: ScaleToZero = {
  step: undefined,
  wantsSlice: false,
  holders: [],
  asksGateway: false,
  asksPods: false,
  obstacle: undefined,
  requeueAfterMs: undefined,
};

/** Whether the manifest lets the service go to zero when nobody asks. */
export function mayGoToZero({ spec }: ModelService): boolean {
  const { minReplicas, maxReplicas, idleAfter } = spec.scaling;
  return minReplicas === 0 && maxReplicas !== undefined && idleAfter !== undefined;
}

/** Since when the service is at zero because nobody asked; undefined: it is not, or somebody else set that zero. */
export function idleSince(deployment: Deployment | undefined): number | undefined {
  if (deployment?.spec.replicas !== 0 || !ownsReplicas(deployment)) return undefined;
  return timeOf(deployment.metadata.annotations?.[IDLE_SINCE_ANNOTATION]);
}

/** Pods were asked for after a time at zero, and none has been ready since. */
export function isWaking(deployment: Deployment | undefined): boolean {
  const size = deployment?.spec.replicas ?? 0;
  return size > 0 && deployment?.metadata.annotations?.[IDLE_SINCE_ANNOTATION] !== undefined;
}

/** Whether the gateway has asked for pods since that moment. */
export function isNewWakeRequest({ status }: ModelService, since: number): boolean {
  const requestedAt = timeOf(status.scaling?.wakeRequestTime);
  return requestedAt !== undefined && requestedAt > since - CLOCK_TOLERANCE_MS;
}

/** What comes next for a service that may go to zero, or is there. */
export function decideScaleToZero(input: ScaleToZeroInput): ScaleToZero {
  const { service, deployment, slice, pods, gateway, scaledOutside = false } = input;
  const allowed = mayGoToZero(service);
  const armed = allowed && gateway !== undefined && !scaledOutside;
  const base: ScaleToZero = {
    ...NOT_TO_ZERO,
    wantsSlice: armed,
    obstacle: allowed ? (scaledOutside ? 'OutsideAutoscaler' : obstacleAtRest(input)) : undefined,
  };
  // Somebody else's zero, or the one of suspend, is nobody's to hold requests for.
  if (service.spec.suspend) return { ...base, obstacle: undefined };
  const since = idleSince(deployment);
  const holders = holdersOf(input);
  if (since !== undefined) return atZero(input, base, since, holders);
  if (deployment?.spec.replicas === 0) return base;

  const listed = hasEndpoints(slice);
  const waking = isWaking(deployment);
  const ready = pods.some(isPodReady);
  if (!ready || (listed && input.reachable === false)) {
    if (!waking && !listed) return base;
    // Until the Service leads to a pod, the gateway takes what comes, also where no zero is allowed any more.
    const held = gateway !== undefined && (armed || slice !== undefined);
    const step = waking ? 'KeepWaking' : undefined;
    const requeueAfterMs = ready ? UNREACHABLE_RETRY_MS : undefined;
    return { ...base, step, wantsSlice: held, holders, asksGateway: held, requeueAfterMs };
  }
  const awake: ScaleToZero = {
    ...base,
    step: waking ? 'EndWaking' : undefined,
    asksPods: opensColdStart(input),
  };
  if (!armed || waking) return awake;
  if (isRolledOut(deployment)) return whileAwake(input, awake, holders);
  return isRollingOut(deployment) ? { ...awake, obstacle: 'RolloutInProgress' } : awake;
}

function atZero(
  { service, slice, gateway, now }: ScaleToZeroInput,
  base: ScaleToZero,
  since: number,
  holders: readonly GatewayPod[],
): ScaleToZero {
  const wake: ScaleToZero = { ...base, step: 'Wake', holders, asksGateway: base.wantsSlice };
  // The slice stays until a pod is ready, so that nothing is lost on the way.
  if (!base.wantsSlice) return { ...wake, wantsSlice: gateway !== undefined && slice !== undefined };
  if (isNewWakeRequest(service, since)) return wake;
  const stay: ScaleToZero = { ...base, step: 'StayAtZero', holders, asksGateway: true };
  if (holders.length > 0) return { ...stay, obstacle: undefined };
  const missing = { ...stay, obstacle: 'GatewayNotReady' } as const;
  const told = previousCondition(service, 'CanScaleToZero');
  const missingSince = told?.status === 'False' ? timeOf(told.lastTransitionTime) : undefined;
  const leftMs = (missingSince ?? now) + GATEWAY_PATIENCE_MS - now;
  return leftMs > 0 ? { ...missing, requeueAfterMs: leftMs } : { ...missing, step: 'Wake' };
}

function whileAwake(input: ScaleToZeroInput, awake: ScaleToZero, holders: readonly GatewayPod[]): ScaleToZero {
  const { service, slice, pods, activity, port, now } = input;
  const idleness = idlenessOf({
    pods,
    activity,
    idleAfterMs: durationMs(service.spec.scaling.idleAfter ?? ''),
    wakeRequestedAt: timeOf(service.status.scaling?.wakeRequestTime),
    now,
  });
  if (idleness.state === 'Unread') {
    // What is listed stays until it is known whether somebody asks again.
    const asked = { ...awake, asksPods: true, asksGateway: true, holders: listedOf(slice, holders) };
    // What is told of a pod that did not answer stays until it does, also over a restart.
    return previousCondition(service, 'CanScaleToZero')?.reason === 'ActivityUnknown'
      ? { ...asked, obstacle: 'ActivityUnknown' }
      : asked;
  }
  if (idleness.state === 'Unknown') {
    return { ...awake, obstacle: 'ActivityUnknown', requeueAfterMs: idleness.lookAgainInMs };
  }
  if (idleness.state === 'Active') return { ...awake, requeueAfterMs: idleness.lookAgainInMs };
  const idle: ScaleToZero = { ...awake, asksGateway: true, holders };
  // An answer of the gateway's enqueues; the pods' readings are taken again after that time.
  if (holders.length === 0) return { ...idle, requeueAfterMs: NO_HOLDER_RETRY_MS };
  const named = slice?.ports?.[0]?.port === port ? listedOf(slice, holders) : [];
  return named.length === holders.length ? { ...idle, step: 'GoToZero' } : idle;
}

/**
 * The pods of the gateway that have said that they listen on this service's port, and those that the slice names
 * already and that have not been asked by this process.
 */
function holdersOf({ slice, port, gateway }: ScaleToZeroInput): readonly GatewayPod[] {
  // One that is made anew is unknown to those who listened for the former one.
  if (gateway === undefined || port === undefined || slice === undefined) return [];
  const listed = slice.ports?.[0]?.port === port ? listedOf(slice, gateway.pods) : [];
  return gateway.pods.filter((pod) => {
    const answer = gateway.listeners.get(pod.metadata.uid);
    return answer === undefined ? listed.includes(pod) : answer === port;
  });
}

/** Whether the slice leads anywhere. */
export function hasEndpoints(slice: EndpointSlice | undefined): boolean {
  return (slice?.endpoints ?? []).length > 0;
}

function listedOf(slice: EndpointSlice | undefined, pods: readonly GatewayPod[]): readonly GatewayPod[] {
  const uids = new Set((slice?.endpoints ?? []).map(({ targetRef }) => targetRef?.uid));
  return pods.filter(({ metadata }) => uids.has(metadata.uid));
}

function obstacleAtRest({ gateway, port }: ScaleToZeroInput): ZeroObstacle | undefined {
  if (gateway === undefined) return 'NoGateway';
  if (port === undefined) return 'NoGatewayPort';
  const refused = gateway.pods.every(({ metadata: { uid } }) => {
    const answer = gateway.listeners.get(uid);
    return answer !== undefined && answer !== port;
  });
  return refused ? 'GatewayNotReady' : undefined;
}

/** A cold start is over and nobody has asked the pods yet how long its phases took. */
function opensColdStart({ service, pods, activity }: ScaleToZeroInput): boolean {
  const start = service.status.scaling?.lastColdStart;
  if (start === undefined || start.readyTime !== undefined) return false;
  return pods.filter(isPodReady).every(({ metadata }) => !activity.has(metadata.uid));
}

/** For a moment after any change neither this nor the next is so. */
function isRollingOut(deployment: Deployment | undefined): boolean {
  const { replicas = 0, updatedReplicas = 0 } = deployment?.status ?? {};
  return replicas !== updatedReplicas;
}

function isRolledOut(deployment: Deployment | undefined): boolean {
  if (deployment === undefined) return false;
  const { observedGeneration = 0 } = deployment.status ?? {};
  return observedGeneration >= (deployment.metadata.generation ?? 0) && !isRollingOut(deployment);
}
