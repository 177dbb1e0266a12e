import type { Logger } from 'pino';
import { readApiRequest } from './api-request.ts';
import type { Authorizer } from './authorizer.ts';
import { DOCUMENTS } from './discovery.ts';
import { authenticate, type Credentials, type FrontProxy } from './front-proxy.ts';
import { SelectorError } from './label-selector.ts';
import { NotServedError, type QueryOptions, queryMetric } from './metric-query.ts';
import { SourceUnavailableError } from './metric-source.ts';

export interface ApiCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly credentials: Credentials;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiHandlerOptions extends QueryOptions {
  /** undefined while it is not known whom to believe. */
  readonly frontProxy: () => FrontProxy | undefined;
  readonly authorizer: Authorizer;
  readonly log: Logger;
}

/** What anybody may ask: whether this answers. */
const PUBLIC = new Set(['/healthz', '/livez', '/readyz']);

/** Answers one call: who is it, may they, what do they want. Never rejects. */
export async function answerApiCall(
  { method, target, credentials }: ApiCall,
  options: ApiHandlerOptions,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { frontProxy, authorizer, log } = options;
  const request = readApiRequest(target);
  if (PUBLIC.has(request.path)) return { status: 200, body: 'ok' };
  const proxy = frontProxy();
  const user = proxy === undefined ? undefined : authenticate(proxy, credentials);
  if (user === undefined) return refusal(401, 'Unauthorized', 'ask the Kubernetes API server, not this server');
  try {
    const { allowed, reason } = await authorizer.authorize(user, request.attributes, signal);
    if (!allowed) {
      const detail = reason === '' ? '' : `: ${reason}`;
      return refusal(403, 'Forbidden', `user "${user.name}" may not get ${request.path}${detail}`);
    }
    if (method !== 'GET')
      return refusal(405, 'MethodNotAllowed', `${method} is not served here: metrics are read-only`);
    if (request.metric !== undefined) return { status: 200, body: await queryMetric(request.metric, options) };
    const document = DOCUMENTS.get(request.path);
    return document === undefined
      ? refusal(404, 'NotFound', `nothing is served at ${request.path}`)
      : { status: 200, body: document };
  } catch (error) {
    if (error instanceof NotServedError) return refusal(404, 'NotFound', error.message);
    if (error instanceof SelectorError) return refusal(400, 'BadRequest', error.message);
    // Not 429 or with Retry-After: the API server's clients would wait, and the autoscaler with them.
    if (error instanceof SourceUnavailableError) return refusal(503, 'ServiceUnavailable', error.message);
    log.error({ err: error, path: request.path }, 'Could not answer a call');
    return refusal(500, 'InternalError', 'the call could not be answered: see the log of the metrics API');
  }
}

function refusal(code: number, reason: string, message: string): ApiAnswer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
  };
}
