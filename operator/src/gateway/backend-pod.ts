import type { KubeObject } from '../kube/types.ts';
import { keysByLabel } from '../runtime/object-key.ts';
import { type CallablePod, type IpAddress, readyAddress } from '../runtime/ready-address.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import { HTTP_PORT, NAME_LABEL } from './contract.ts';

/** A pod as the store keeps it. */
export interface BackendPod extends KubeObject {
  /** Where it answers; undefined while it is not ready or ends. */
  readonly address: IpAddress | undefined;
}

/** The pods' index, by `namespace/name` of their ModelService. */
export const BY_MODEL_SERVICE = 'modelService';

export function modelServiceOf(pod: KubeObject): readonly string[] {
  return keysByLabel(pod, NAME_LABEL);
}

export function toBackendPod(pod: CallablePod): BackendPod {
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata),
    address: readyAddress(pod, HTTP_PORT),
  };
}
