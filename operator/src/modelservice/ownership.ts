import type { KubeObject } from '../kube/types.ts';
import { NAME_LABEL } from './conventions.ts';
import type { ModelService } from './resource.ts';

/**
 * Controlled by this very ModelService; or without a controller and labelled as its child, which is what
 * `kubectl delete --cascade=orphan` leaves for the next one of the same name.
 */
export function isOurs(service: ModelService, object: KubeObject): boolean {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (controller !== undefined) return controller.uid === service.metadata.uid;
  return object.metadata.labels?.[NAME_LABEL] === service.metadata.name;
}
