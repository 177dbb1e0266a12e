import { isPodReady, type Pod } from '../live-objects.ts';
import type { ActivityReading } from '../observed.ts';

/** How far back a reading tells of the present: the steps to zero take less. */
const FRESH_MS = 10_000;
/** After which time a pod that did not answer is asked again. */
const UNANSWERED_RETRY_MS = 15_000;
/** No pod is asked more often than that. */
const SHORTEST_WAIT_MS = 2_000;

export type Idleness =
  /** Somebody asked within the time; undefined: there is no pod to be asked. */
  | { readonly state: 'Active'; readonly lookAgainInMs: number | undefined }
  /** The pods have to be asked before more can be said. */
  | { readonly state: 'Unread' }
  /** Some pod did not answer, so nobody knows. */
  | { readonly state: 'Unknown'; readonly lookAgainInMs: number }
  | { readonly state: 'Idle' };

export interface IdlenessInput {
  readonly pods: readonly Pod[];
  readonly activity: ReadonlyMap<string, ActivityReading>;
  readonly idleAfterMs: number;
  /** When the gateway last asked for pods; undefined: never. */
  readonly wakeRequestedAt: number | undefined;
  readonly now: number;
}

/** Whether nobody has asked any pod for `idleAfterMs`, as far as the pods said. */
export function idlenessOf({ pods, activity, idleAfterMs, wakeRequestedAt, now }: IdlenessInput): Idleness {
  const ready = pods.filter(isPodReady);
  if (ready.length === 0) return { state: 'Active', lookAgainInMs: undefined };
  const readings = ready.map((pod) => activity.get(pod.metadata.uid));
  // A pod that never had a request counts from when it became ready: its requests are still to come.
  const lastActiveAt = Math.max(
    wakeRequestedAt ?? 0,
    ...ready.map((pod) => readySince(pod) ?? now),
    ...readings.map(lastActivityIn),
  );
  const idleAt = lastActiveAt + idleAfterMs;
  if (now < idleAt) return { state: 'Active', lookAgainInMs: Math.max(idleAt - now, SHORTEST_WAIT_MS) };
  const unanswered = readings.find((reading) => reading !== undefined && reading.activity === undefined);
  if (unanswered !== undefined) {
    const leftMs = unanswered.readAt + UNANSWERED_RETRY_MS - now;
    return leftMs > 0 ? { state: 'Unknown', lookAgainInMs: leftMs } : { state: 'Unread' };
  }
  // Earlier ones do not tell of the whole time.
  const current = readings.every(
    (reading) => reading !== undefined && reading.readAt >= idleAt && now - reading.readAt <= FRESH_MS,
  );
  return current ? { state: 'Idle' } : { state: 'Unread' };
}

/** Milliseconds since the epoch; undefined where the pod does not say. */
export function readySince(pod: Pod): number | undefined {
  return timeOf(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime);
}

/** A time that an API object tells; undefined where there is none. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function lastActivityIn(reading: ActivityReading | undefined): number {
  if (reading?.activity === undefined) return 0;
  const { inFlight, lastRequestAt } = reading.activity;
  // A pod whose clock is ahead has not been asked in the future.
  return inFlight > 0 ? reading.readAt : Math.min(lastRequestAt ?? 0, reading.readAt);
}
