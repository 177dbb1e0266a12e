import type { AuditEvent } from '../../cluster/audit-log.ts';

/** How often one kind of request was sent. */
export interface RequestCount {
  /** `patch modelservices/status`. */
  readonly request: string;
  readonly total: number;
  /** The most for one object. */
  readonly most: number;
}

const WRITING: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The requests of one user that were answered between two moments, each once. Leases are not counted. */
export function requestsBy(
  events: readonly AuditEvent[],
  username: string,
  fromMs: number,
  toMs: number,
): readonly AuditEvent[] {
  return events.filter((event) => {
    const atMs = Date.parse(event.requestReceivedTimestamp);
    return (
      // A watch is told when it begins, too, and ends later than anybody counts.
      event.stage === (event.verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete') &&
      event.user.username === username &&
      event.objectRef?.resource !== 'leases' &&
      atMs >= fromMs &&
      atMs < toMs
    );
  });
}

export function isWriting({ verb }: AuditEvent): boolean {
  return WRITING.has(verb);
}

/** By verb and resource, sorted. */
export function countRequests(events: readonly AuditEvent[]): readonly RequestCount[] {
  const counts = new Map<string, Map<string, number>>();
  for (const { verb, requestURI, objectRef: { resource = requestURI, subresource, namespace, name } = {} } of events) {
    const request = `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
    const objects = counts.get(request) ?? new Map<string, number>();
    const object = `${namespace}/${name}`;
    objects.set(object, (objects.get(object) ?? 0) + 1);
    counts.set(request, objects);
  }
  return [...counts]
    .map(([request, objects]) => ({
      request,
      total: [...objects.values()].reduce((sum, count) => sum + count, 0),
      most: Math.max(...objects.values()),
    }))
    .toSorted((a, b) => (a.request < b.request ? -1 : 1));
}

/** When the API server had answered the last of these, in milliseconds since the epoch. */
export function lastAnswerMs(events: readonly AuditEvent[]): number {
  return events.reduce((last, { stageTimestamp }) => Math.max(last, preciseMs(stageTimestamp)), 0);
}

/**
 * For each deletion of a child by somebody, how long from its arrival until the API server had made the child again for
 * `username`.
 *
 * @throws where a child did not come back
 */
export function repairTimesMs(events: readonly AuditEvent[], deletions: readonly AuditEvent[], username: string) {
  const made = events.filter(
    ({ verb, user, responseStatus }) => verb === 'patch' && user.username === username && responseStatus?.code === 201,
  );
  return deletions.map((deletion) => {
    // The answer to a deletion may come after the child is there again.
    const goneMs = preciseMs(deletion.requestReceivedTimestamp);
    const again = made
      .filter(({ objectRef: made }) => isSame(made, deletion.objectRef))
      .map(({ stageTimestamp }) => preciseMs(stageTimestamp))
      .filter((atMs) => atMs >= goneMs);
    if (again.length === 0) throw new Error(`${deletion.requestURI} was deleted and not made again`);
    return Math.min(...again) - goneMs;
  });
}

function isSame(a: AuditEvent['objectRef'], b: AuditEvent['objectRef']): boolean {
  return a?.resource === b?.resource && a?.namespace === b?.namespace && a?.name === b?.name;
}

/** Of an ISO 8601 time with microseconds. */
export function preciseMs(time: string): number {
  const fraction = /\.\d{3}(\d{3})Z$/.exec(time);
  return Date.parse(time) + Number(fraction?.[1] ?? 0) / 1000;
}
