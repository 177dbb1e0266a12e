/**
 * `gateway/` stands in for a ModelService that is at zero: it takes its requests, has it woken, holds them and forwards
 * them to its pods once one is ready. While a service is awake nothing of this is in the path. A component of its own;
 * `gateway.ts` assembles it. This file has the names that it shares with the operator (modelservice/conventions.ts,
 * which this room does not import).
 */
import type { KubeObject, ResourceType } from '../kube/types.ts';

/** Writes `status.scaling.wakeRequestTime` of a ModelService, and nothing else. */
export const FIELD_MANAGER = 'modelservice-gateway';

export const MODEL_SERVICE: ResourceType = {
  group: 'modelservice.dev',
  version: 'v1alpha1',
  kind: 'ModelService',
  plural: 'modelservices',
  namespaced: true,
};

/** Which EndpointSlices the operator made. */
export const SLICE_SELECTOR = 'endpointslice.kubernetes.io/managed-by=modelservice-operator';
/** Of the one for NAME: NAME and this. */
export const SLICE_NAME_SUFFIX = '--gateway';
/** Which ports the operator gives to services. */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 29_999;

/** Which pods are those of ModelServices, and which port of theirs is asked. */
export const POD_SELECTOR = 'app.kubernetes.io/managed-by=modelservice-operator';
export const NAME_LABEL = 'modelservice.dev/name';
export const HTTP_PORT = { container: 'server', port: 'http' } as const;

/** What is read of a ModelService. */
export interface ModelService extends KubeObject {
  readonly spec?: { readonly suspend?: boolean };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
    readonly scaling?: {
      readonly state?: string;
      /** RFC 3339. */
      readonly wakeRequestTime?: string;
    };
  };
}
