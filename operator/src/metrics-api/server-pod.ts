import type { KubeObject } from '../kube/types.ts';
import { METRICS_PORT_NAME, NAME_LABEL } from './served-metrics.ts';

/** What is read of a pod. */
export interface Pod extends KubeObject {
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

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
  [BY_MODEL_SERVICE]: (pod: KubeObject): readonly string[] => {
    const name = pod.metadata.labels?.[NAME_LABEL];
    return name === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${name}`];
  },
};

export function toServerPod(pod: Pod): ServerPod {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels } = pod.metadata;
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const port = ports.find((candidate) => candidate.name === METRICS_PORT_NAME)?.containerPort;
  const ip = pod.status?.podIP;
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const answers = ready && deletionTimestamp === undefined && ip !== undefined && port !== undefined;
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      ...(labels === undefined ? {} : { labels }),
    },
    metricsUrl: answers ? `http://${ip.includes(':') ? `[${ip}]` : ip}:${port}/metrics` : undefined,
  };
}
