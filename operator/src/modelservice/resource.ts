/**
 * `modelservice/` is the domain: what a ModelService asks for and what is said about it. `gather.ts` reads the stores,
 * `plan/` decides (pure, one file for each child object), `act.ts` applies what differs, `status/` says how it stands
 * (pure, one file for each condition); `reconcile.ts` joins them on one screen.
 */
import type { KubeObject, OwnerReference, ResourceType } from '../kube/types.ts';
import type { Condition, ModelService as GeneratedModelService } from './types.generated.ts';

export const MODEL_SERVICE: ResourceType = {
  group: 'modelservice.dev',
  version: 'v1alpha1',
  kind: 'ModelService',
  plural: 'modelservices',
  namespaced: true,
};

/** A ModelService as the API server serves it: every field with a default is there. */
export interface ModelService extends KubeObject {
  readonly spec: GeneratedModelService['spec'];
  readonly status: GeneratedModelService['status'];
}

/** The name in /v2/models/NAME. */
export function modelNameOf(service: {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly model: { readonly name?: string } };
}): string {
  return service.spec.model.name ?? service.metadata.name;
}

/** The condition as it was told last. */
export function previousCondition({ status }: ModelService, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/**
 * What every child carries, so that deleting the ModelService deletes it. Without blockOwnerDeletion: nothing waits for
 * the children, and where OwnerReferencesPermissionEnforcement is on, setting it asks for the right to update our
 * finalizers and is refused for up to 30 s after the definition was installed.
 */
export function ownerReferenceTo(service: ModelService): OwnerReference {
  return {
    apiVersion: `${MODEL_SERVICE.group}/${MODEL_SERVICE.version}`,
    kind: MODEL_SERVICE.kind,
    name: service.metadata.name,
    uid: service.metadata.uid,
    controller: true,
  };
}
