/** One request, as kube-apiserver's audit log records it at level Metadata. Times are ISO 8601 with microseconds. */
export interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** Everything, once per request and once more when a watch begins. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The events of a log; a last line that is still being written is left for the next reading. */
export function parseAuditLog(text: string): readonly AuditEvent[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
}

/** The requests of one user that change something, each once, in the order in which they arrived. */
export function writesBy(events: readonly AuditEvent[], username: string): readonly AuditEvent[] {
  return events.filter(
    (event) => event.stage === 'ResponseComplete' && event.user.username === username && WRITES.has(event.verb),
  );
}

/** `patch apps/deployments ns/name -> 200`: what a failing test prints of a request. */
export function describeAuditEvent(event: AuditEvent): string {
  const { apiGroup, resource = event.requestURI, subresource, namespace, name } = event.objectRef ?? {};
  const type = [apiGroup, resource, subresource].filter((part) => part !== undefined && part !== '').join('/');
  const object = [namespace, name].filter((part) => part !== undefined && part !== '').join('/');
  return `${event.verb} ${type} ${object} -> ${event.responseStatus?.code ?? '?'}`;
}
