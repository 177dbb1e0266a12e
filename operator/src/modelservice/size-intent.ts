import { DEPLOYMENT } from '../kube/resources.ts';
import type { Intent, KubeObject } from '../kube/types.ts';
import { IDLE_SINCE_ANNOTATION } from './conventions.ts';
import type { AppliedSize } from './plan/replicas.ts';

/** What `modelservice-replicas` applies to a Deployment: its number of pods, and since when that is for lack of requests. */
export function sizeIntent(deployment: KubeObject, { replicas, idleSince, resourceVersion }: AppliedSize): Intent {
  const { name, namespace } = deployment.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: DEPLOYMENT.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(idleSince === undefined ? {} : { annotations: { [IDLE_SINCE_ANNOTATION]: idleSince } }),
    },
    spec: { replicas },
  };
}
