import type { LoadedModel, ModelRepository, ServedModel } from '../model/served-model.ts';
import { RequestError } from './request-error.ts';

/**
 * The entry of a model by what a path names.
 *
 * @throws RequestError 404 that lists what is served
 */
export function findModel(repository: ModelRepository, name: string, version: string | undefined): ServedModel {
  const served = repository.get(name);
  if (served === undefined) {
    const names = repository.list().map((model) => `"${model.name}"`);
    const list = names.length === 0 ? 'this server has no models' : `this server has ${names.join(', ')}`;
    throw new RequestError(404, `Model ${JSON.stringify(name)} is not served here; ${list}`);
  }
  if (version !== undefined && version !== served.version) {
    throw new RequestError(
      404,
      `Model "${served.name}" is served in version ${served.version}, not in version ${JSON.stringify(version)}`,
    );
  }
  return served;
}

/**
 * What runs of a model.
 *
 * @throws RequestError 503 that says why nothing runs yet, or why nothing will
 */
export function loadedModel(served: ServedModel): LoadedModel {
  if (served.loaded === undefined) throw notReady(served);
  return served.loaded;
}

/** The answer for a model that does not run; a model that failed is not worth asking again soon. */
export function notReady(served: ServedModel): RequestError {
  if (served.failure !== undefined) {
    const { reason, message } = served.failure;
    return new RequestError(503, `Model "${served.name}" cannot be served: ${reason}: ${message}`);
  }
  return new RequestError(503, `Model "${served.name}" is not ready yet: it is in phase ${served.phase}`, {
    'retry-after': '1',
  });
}
