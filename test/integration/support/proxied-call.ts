export type CallKind = 'watch' | 'list' | 'get' | 'write' | 'other';

/** One call on an API server, as its request line tells it. */
export interface ProxiedCall {
  readonly kind: CallKind;
  readonly method: string;
  readonly path: string;
  /** Plural name of the type; '' for paths that are no resource's. */
  readonly resource: string;
  readonly name: string | undefined;
}

/** `/api/v1` or `/apis/GROUP/VERSION`, then perhaps a namespace, then a type, perhaps an object and a subresource. */
const RESOURCE_PATH = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)(?:\/namespaces\/[^/]+(?=\/))?\/([^/]+)(?:\/([^/]+))?/;

export function callOf(method: string, url: string): ProxiedCall {
  const { pathname: path, searchParams } = new URL(url, 'http://proxy');
  const match = RESOURCE_PATH.exec(path);
  const resource = match?.[1] ?? '';
  const name = match?.[2];
  return { kind: kindOf(method, resource, name, searchParams.get('watch')), method, path, resource, name };
}

export function isWrite(call: ProxiedCall): boolean {
  return call.kind === 'write';
}

function kindOf(method: string, resource: string, name: string | undefined, watch: string | null): CallKind {
  if (method !== 'GET' && method !== 'HEAD') return 'write';
  if (resource === '') return 'other';
  if (watch === 'true' || watch === '1') return 'watch';
  return name === undefined ? 'list' : 'get';
}
