import type { Pod, PodStatus } from './observed.ts';

/** A pod as the store keeps it: the fields that we read, a small part of the whole. */
export function trimPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels } = pod.metadata;
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(labels === undefined ? {} : { labels }),
    },
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
