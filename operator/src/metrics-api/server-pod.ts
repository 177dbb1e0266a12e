import type { KubeObject } from '../kube/types.ts';
import { keysByLabel } from '../runtime/object-key.ts';
import { type CallablePod, hostAndPort, readyAddress } from '../runtime/ready-address.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import { METRICS_PORT, NAME_LABEL } from './served-metrics.ts';

/** A pod as the store keeps it. */
export interface ServerPod extends KubeObject {
  /** Where its metrics are read; undefined while it is not ready, ends, or has no such port. */
  readonly metricsUrl: string | undefined;
}

/** The pods' indexes. */
export const BY_NAMESPACE = 'namespace';
/** By `namespace/name` of their ModelService. */
export const BY_MODEL_SERVICE = 'modelService';

export const POD_INDEXES = {
  [BY_NAMESPACE]: (pod: KubeObject): readonly string[] => [pod.metadata.namespace ?? ''],
  [BY_MODEL_SERVICE]: (pod: KubeObject): readonly string[] => keysByLabel(pod, NAME_LABEL),
};

export function toServerPod(pod: CallablePod): ServerPod {
  const address = readyAddress(pod, METRICS_PORT);
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata),
    metricsUrl: address === undefined ? undefined : `http://${hostAndPort(address)}/metrics`,
  };
}
