import { ApiError, isNotFound } from '../kube/errors.ts';
import { apiVersionOf } from '../kube/paths.ts';
import type { ResourceType } from '../kube/types.ts';
import { SilenceError } from './watchdog.ts';

/** Why a list or watch of `type` failed, in a sentence. */
export function obstacleOf(error: unknown, type: ResourceType): string {
  if (isNotFound(error)) {
    return `the API server does not serve ${type.plural} of ${apiVersionOf(type)}: is the CustomResourceDefinition installed?`;
  }
  return error instanceof ApiError ? error.statusMessage : String(error);
}

/** What the log says where trying again at once is of no use: the type is not served, or we may not read it. */
export function refusalText(error: unknown): string {
  return isNotFound(error)
    ? 'API server did not serve the type, waiting for its CustomResourceDefinition'
    : 'Had no right to list or watch, waiting for it';
}

/** An answer that began well and broke off; the server itself refused nothing. */
export function isBrokenOff(error: unknown): boolean {
  return error instanceof SilenceError || !(error instanceof ApiError);
}
