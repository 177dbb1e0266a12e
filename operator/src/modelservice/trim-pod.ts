import { trimMetadata } from '../runtime/trim-metadata.ts';
import type { Pod, PodContainer, PodStatus } from './live-objects.ts';

/** A pod as the store keeps it: the fields that we read, a small part of the whole. */
export function trimPod(pod: Pod): Pod {
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata),
    spec: {
      containers: pod.spec.containers.map(trimContainer),
    },
    ...(pod.status === undefined ? {} : { status: trimStatus(pod.status) }),
  };
}

function trimContainer({ name, image, resources }: PodContainer): PodContainer {
  const memory = resources?.limits?.memory;
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(memory === undefined ? {} : { resources: { limits: { memory } } }),
  };
}

function trimStatus({ phase, reason, message, podIP, conditions, containerStatuses }: PodStatus): PodStatus {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(podIP === undefined ? {} : { podIP }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(containerStatuses === undefined ? {} : { containerStatuses }),
  };
}
