import { SERVER_CONTAINER } from '../conventions.ts';
import type { ContainerStatus, Pod } from '../live-objects.ts';

/** What the kubelet says of the pod's server; undefined before it took the pod. */
export function serverStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === SERVER_CONTAINER);
}
