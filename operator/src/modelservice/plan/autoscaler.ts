import { HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT } from '../../kube/resources.ts';
import type { Intent, ResourceType } from '../../kube/types.ts';
import type { Child, Observed } from '../observed.ts';
import type { ModelService } from '../resource.ts';
import { horizontalPodAutoscalerOf } from './horizontal-pod-autoscaler.ts';
import { goner, type Prune } from './prune.ts';
import { type KedaSettings, scaledObjectOf } from './scaled-object.ts';

/** Who makes the HorizontalPodAutoscaler: this operator, or KEDA by a ScaledObject that asks Prometheus. */
export type Scaler = { readonly kind: 'stock' } | ({ readonly kind: 'keda' } & KedaSettings);

export interface AutoscalerPlan {
  /** Undefined: none is to be made, now or at all. */
  readonly wanted: { readonly type: ResourceType; readonly child: Child; readonly intent: Intent } | undefined;
  readonly prune: readonly Prune[];
}

/**
 * What scales `service`. Never two at once: the one is made when the other is gone, and between the two the size stays
 * as it is.
 *
 * @param pauses there are to be no pods
 */
export function autoscalerPlan(
  service: ModelService,
  observed: Pick<Observed, 'autoscaler' | 'scaledObject' | 'kedaAutoscaler' | 'kedaServed' | 'outsideAutoscaler'>,
  scaler: Scaler,
  pauses: boolean,
): AutoscalerPlan {
  const { autoscaler, scaledObject, kedaAutoscaler, kedaServed, outsideAutoscaler } = observed;
  // Two autoscalers of the same pods block one another.
  const stepsBack = outsideAutoscaler?.target === 'Deployment';
  const stock = { type: HORIZONTAL_POD_AUTOSCALER, child: autoscaler };
  const keda = { type: SCALED_OBJECT, child: scaledObject };
  // With KEDA gone for good, nobody else deletes what it made.
  const leftBehind =
    kedaAutoscaler !== undefined && kedaServed === false
      ? [{ type: HORIZONTAL_POD_AUTOSCALER, object: kedaAutoscaler }]
      : [];
  if (scaler.kind === 'keda') {
    const intent = stepsBack ? undefined : scaledObjectOf(service, scaler, pauses);
    const prune = [...goner(stock), ...(intent === undefined ? goner(keda) : []), ...leftBehind];
    // KEDA refuses a ScaledObject for what another autoscaler scales.
    const waits = kedaServed !== true || autoscaler.state === 'owned';
    return { wanted: intent === undefined || waits ? undefined : { ...keda, intent }, prune };
  }
  const intent = stepsBack ? undefined : horizontalPodAutoscalerOf(service);
  const prune = [...(intent === undefined ? goner(stock) : []), ...goner(keda), ...leftBehind];
  const waits = scaledObject.state === 'owned' || kedaAutoscaler !== undefined;
  return { wanted: intent === undefined || waits ? undefined : { ...stock, intent }, prune };
}
