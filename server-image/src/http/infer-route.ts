import type { Protocol } from '../telemetry/telemetry.ts';
import { RequestError } from './request-error.ts';

/** Which model a path asks to run, and in which protocol. */
export interface InferRoute {
  readonly protocol: Protocol;
  readonly model: string;
  /** undefined: whichever is served. */
  readonly version: string | undefined;
}

const INFER = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?\/infer$/;
// Some clients escape the colon, which they may (RFC 3986, 2.2).
const PREDICT = /^\/v1\/models\/([^/:]+?)(?:\/versions\/([^/:]+?))?(?::|%3[Aa])predict$/;

/**
 * @returns undefined where the path is none of infer and predict
 * @throws RequestError 400 for a path with a broken percent sequence
 */
export function matchInferRoute(url: string): InferRoute | undefined {
  const path = pathOf(url);
  const infer = INFER.exec(path);
  const match = infer ?? PREDICT.exec(path);
  const model = match?.[1];
  if (model === undefined) return undefined;
  const version = match?.[2];
  return {
    protocol: infer === null ? 'v1' : 'v2',
    model: decode(model),
    version: version === undefined ? undefined : decode(version),
  };
}

/** The path of a request's target, which may also be a whole URL: RFC 9112, 3.2.2. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  const target = query === -1 ? url : url.slice(0, query);
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/]*/i, '');
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RequestError(400, `The path holds a broken percent sequence: ${JSON.stringify(segment)}`);
  }
}
