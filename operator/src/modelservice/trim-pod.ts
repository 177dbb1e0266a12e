import { trimMetadata } from '../runtime/trim-metadata.ts';
import type { Pod, PodStatus } from './live-objects.ts';

/** A pod as the store keeps it: the fields that we read, a small part of the whole. */
export function trimPod(pod: Pod): Pod {
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata),
    spec: {
      containers: pod.spec.containers.map(({ name: container, image }) => ({
        name: container,
        ...(image === undefined ? {} : { image }),
      })),
    },
    ...(pod.status === undefined ? {} : { status: trimStatus(pod.status) }),
  };
}

function trimStatus({ phase, podIP, conditions, containerStatuses }: PodStatus): PodStatus {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(podIP === undefined ? {} : { podIP }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(containerStatuses === undefined ? {} : { containerStatuses }),
  };
}
