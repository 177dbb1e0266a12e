import { REPLICAS_FIELD_MANAGER, RESUME_REPLICAS_ANNOTATION } from '../conventions.ts';
import type { Deployment } from '../observed.ts';
import type { ModelService } from '../resource.ts';

export interface ReplicasDecision {
  /** What `modelservice-replicas` applies; undefined: nobody of ours writes the number. */
  readonly replicas: number | undefined;
  /** What the Deployment remembers while there are no pods for the time being. */
  readonly resumeReplicas: number | undefined;
}

/**
 * How many pods, where that is ours to say: a fixed size, zero while suspended, and for an autoscaled service only the
 * size at creation and on waking from a zero of ours. Otherwise the autoscaler's number, or one set by hand, stays.
 */
export function decideReplicas(service: ModelService, deployment: Deployment | undefined): ReplicasDecision {
  const { scaling, suspend } = service.spec;
  if (suspend) return { replicas: 0, resumeReplicas: sizeToResume(service, deployment) };
  if (scaling.maxReplicas === undefined) return { replicas: scaling.minReplicas, resumeReplicas: undefined };
  if (deployment === undefined) {
    return { replicas: withinBounds(service, service.status.replicas), resumeReplicas: undefined };
  }
  if (isZeroOfOurs(deployment)) {
    const remembered = rememberedSize(deployment);
    // Kept until the pods are wanted again in the store too: a crash before the wake must not forget it.
    return { replicas: withinBounds(service, remembered ?? 0), resumeReplicas: remembered };
  }
  if (isFreshFromDefaults(deployment)) {
    return { replicas: withinBounds(service, service.status.replicas), resumeReplicas: undefined };
  }
  return { replicas: undefined, resumeReplicas: undefined };
}

function sizeToResume(service: ModelService, deployment: Deployment | undefined): number {
  const remembered = deployment === undefined ? undefined : rememberedSize(deployment);
  if (remembered !== undefined) return remembered;
  return withinBounds(service, deployment?.spec.replicas ?? service.status.replicas);
}

function rememberedSize(deployment: Deployment): number | undefined {
  const text = deployment.metadata.annotations?.[RESUME_REPLICAS_ANNOTATION];
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}

function withinBounds(service: ModelService, size: number): number {
  const { minReplicas, maxReplicas } = service.spec.scaling;
  if (maxReplicas === undefined) return minReplicas;
  // A least of 0 says what may be once nobody asks, and an autoscaler never leaves zero by itself.
  return Math.min(Math.max(size, minReplicas, 1), maxReplicas);
}

/** Zero, and still as we applied it: `kubectl scale deployment` to zero takes the field away from us. */
function isZeroOfOurs(deployment: Deployment): boolean {
  return deployment.spec.replicas === 0 && ownsReplicas(deployment);
}

/**
 * Just created, its number being the API server's default of 1: we were interrupted before we could apply ours. The
 * generation counts changes of the spec, so nobody else has set a number either.
 */
function isFreshFromDefaults(deployment: Deployment): boolean {
  return deployment.metadata.generation === 1 && !ownsReplicas(deployment);
}

function ownsReplicas(deployment: Deployment): boolean {
  return (deployment.metadata.managedFields ?? []).some(
    (entry) => entry.manager === REPLICAS_FIELD_MANAGER && entry.operation === 'Apply' && hasReplicas(entry.fieldsV1),
  );
}

function hasReplicas(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null || !('f:spec' in fields)) return false;
  const spec = fields['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:replicas' in spec;
}
