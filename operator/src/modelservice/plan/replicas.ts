import { IDLE_SINCE_ANNOTATION, RESUME_REPLICAS_ANNOTATION } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { ownsReplicas } from './owned-replicas.ts';
import type { ZeroStep } from './scale-to-zero.ts';

/** What `modelservice-replicas` applies. */
export interface AppliedSize {
  readonly replicas: number;
  /** The value of the annotation that goes with a zero of nobody asking; undefined: none. */
  readonly idleSince?: string;
  /** Where it is there, the write is refused when the Deployment is another one by now. */
  readonly resourceVersion?: string;
}

export interface ReplicasDecision {
  /** Undefined: nobody of ours writes the number. */
  readonly size: AppliedSize | undefined;
  /** What the Deployment remembers while there are no pods for the time being. */
  readonly resumeReplicas: number | undefined;
}

/**
 * How many pods, where that is ours to say: a fixed size, zero while suspended, and for an autoscaled service only the
 * size at creation, a zero since nobody asks, and waking from a zero of ours. Otherwise the autoscaler's number, or one
 * set by hand, stays.
 *
 * @param now milliseconds since the epoch
 * @param scaledOutside somebody else's autoscaler sets the Deployment's size, which is left to it as to ours
 */
export function decideReplicas(
  service: ModelService,
  deployment: Deployment | undefined,
  step: ZeroStep | undefined,
  now: number,
  scaledOutside = false,
): ReplicasDecision {
  const { scaling, suspend } = service.spec;
  if (suspend) return { size: { replicas: 0 }, resumeReplicas: sizeToResume(service, deployment) };
  if (scaling.maxReplicas === undefined && !scaledOutside)
    return { size: { replicas: scaling.minReplicas }, resumeReplicas: undefined };
  if (deployment === undefined) {
    return { size: { replicas: withinBounds(service, service.status.replicas) }, resumeReplicas: undefined };
  }
  if (step !== undefined) return { size: sizeOfStep(service, deployment, step, now), resumeReplicas: undefined };
  if (isZeroOfOurs(deployment)) {
    const remembered = rememberedSize(deployment);
    // Kept until the pods are wanted again in the store too: a crash before the wake must not forget it.
    return { size: { replicas: withinBounds(service, remembered ?? 0) }, resumeReplicas: remembered };
  }
  if (isFreshFromDefaults(deployment)) {
    return { size: { replicas: withinBounds(service, service.status.replicas) }, resumeReplicas: undefined };
  }
  return { size: undefined, resumeReplicas: undefined };
}

function sizeOfStep(service: ModelService, deployment: Deployment, step: ZeroStep, now: number): AppliedSize {
  const { resourceVersion, annotations } = deployment.metadata;
  const since = annotations?.[IDLE_SINCE_ANNOTATION];
  const kept = since === undefined ? {} : { idleSince: since };
  switch (step) {
    case 'GoToZero':
      return { replicas: 0, idleSince: new Date(now).toISOString(), resourceVersion };
    case 'StayAtZero':
      return { replicas: 0, ...kept };
    case 'Wake':
      return { replicas: withinBounds(service, 1), ...kept };
    // The number is the autoscaler's again: what is written beside the annotation is only what is there.
    case 'KeepWaking':
      return { replicas: deployment.spec.replicas ?? 1, ...kept, resourceVersion };
    case 'EndWaking':
      return { replicas: deployment.spec.replicas ?? 1, resourceVersion };
  }
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
  // Whoever scales a service without bounds of its own may have gone beyond its size.
  if (maxReplicas === undefined) return Math.max(size, minReplicas);
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
