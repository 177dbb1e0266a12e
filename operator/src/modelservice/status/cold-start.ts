import { IDLE_SINCE_ANNOTATION, SERVER_CONTAINER } from '../conventions.ts';
import { type Deployment, isPodReady, type Pod } from '../live-objects.ts';
import type { ActivityReading } from '../observed.ts';
import { readySince, timeOf } from '../plan/idleness.ts';
import { isNewWakeRequest, isWaking } from '../plan/scale-to-zero.ts';
import type { ModelService } from '../resource.ts';
import type { ColdStart, ColdStartPhase } from '../types.generated.ts';
import { timestamp } from './timestamp.ts';

/** The server's phases of loading, in the order of time (server-image/src/model/served-model.ts). */
const LOAD_PHASES = ['Fetching', 'Verifying', 'Loading', 'WarmingUp'] as const;

export interface ColdStartInput {
  readonly service: ModelService;
  /** As it is after this pass' writes. */
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  readonly activity: ReadonlyMap<string, ActivityReading>;
}

/**
 * The last start from zero: begun when the gateway asked for pods, and told in full once the first ready pod was asked
 * how long its model took. Undefined where there was none.
 */
export function coldStartOf({ service, deployment, pods, activity }: ColdStartInput): ColdStart | undefined {
  const before = service.status.scaling?.lastColdStart;
  const open = before !== undefined && before.readyTime === undefined;
  const first = pods.filter(isPodReady).toSorted((a, b) => (readySince(a) ?? 0) - (readySince(b) ?? 0))[0];
  if (first === undefined) {
    // One that was broken off, by suspend for example, tells nothing.
    if (open && deployment?.spec.replicas === 0) return undefined;
    return open ? before : (beginning(service, deployment) ?? before);
  }
  const reading = activity.get(first.metadata.uid);
  return open && reading !== undefined ? ended(before, first, reading) : before;
}

function beginning(service: ModelService, deployment: Deployment | undefined): ColdStart | undefined {
  const since = timeOf(deployment?.metadata.annotations?.[IDLE_SINCE_ANNOTATION]);
  const requestTime = service.status.scaling?.wakeRequestTime;
  if (!isWaking(deployment) || since === undefined || !isNewWakeRequest(service, since)) return undefined;
  return requestTime === undefined ? undefined : { requestTime };
}

function ended(start: ColdStart, pod: Pod, { activity }: ActivityReading): ColdStart {
  const readyAt = readySince(pod);
  if (readyAt === undefined) return start;
  const conditions = pod.status?.conditions ?? [];
  const server = pod.status?.containerStatuses?.find(({ name }) => name === SERVER_CONTAINER);
  const phases: ColdStartPhase[] = [];
  let at = timeOf(start.requestTime) ?? readyAt;
  function until(name: string, end: number | undefined): void {
    if (end === undefined) return;
    phases.push({ name, seconds: seconds((end - at) / 1000) });
    at = Math.max(at, end);
  }
  until('Scheduling', timeOf(conditions.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime));
  until('Starting', timeOf(server?.state?.running?.startedAt));
  for (const name of LOAD_PHASES) {
    const took = activity?.loadSeconds.get(name);
    if (took === undefined) continue;
    phases.push({ name, seconds: seconds(took) });
    at += took * 1000;
  }
  until('Settling', readyAt);
  return { requestTime: start.requestTime, readyTime: timestamp(readyAt), phases };
}

/** To the millisecond; Kubernetes' own times are whole seconds, so that one may seem to be before another. */
function seconds(value: number): number {
  return Math.max(0, Math.round(value * 1000) / 1000);
}
