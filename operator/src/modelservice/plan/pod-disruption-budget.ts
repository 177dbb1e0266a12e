import type { Intent } from '../../kube/types.ts';
import { NAME_LABEL } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import { childMetadata } from './child-metadata.ts';

/** From so many pods on that are certain, one may be taken away while another answers. */
const LEAST_PODS = 2;

/**
 * The PodDisruptionBudget of `service`; undefined where it has none. It depends on the spec alone, so that it stays
 * while the autoscaler moves and while the service is suspended. It selects by name alone, so that another track of
 * pods can join.
 */
export function podDisruptionBudgetOf(service: ModelService): Intent | undefined {
  const { scaling, availability } = service.spec;
  const { enabled, maxUnavailable } = availability.podDisruptionBudget;
  if (!enabled || scaling.minReplicas < LEAST_PODS) return undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(service),
    spec: {
      selector: { matchLabels: { [NAME_LABEL]: service.metadata.name } },
      maxUnavailable,
      // Else a service whose pods never get ready would keep its nodes from being drained.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
