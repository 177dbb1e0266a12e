import type { OutsideAutoscaler } from '../outside-autoscaler.ts';
import type { ModelService } from '../resource.ts';
import type { ConditionDraft } from './condition-draft.ts';

/** AutoscalingActive where somebody else's autoscaler sets the size. */
export function outsideAutoscalerCondition(
  service: ModelService,
  { kind, name, target }: OutsideAutoscaler,
): ConditionDraft {
  const type = 'AutoscalingActive';
  const fixed = service.spec.scaling.maxReplicas === undefined;
  if (target === 'ModelService' && fixed) {
    const message = `${kind} ${name} scales this ModelService: it sets spec.scaling.minReplicas.`;
    return { type, status: 'True', reason: 'ScaledFromOutside', message };
  }
  const message =
    target === 'ModelService'
      ? `${kind} ${name} moves spec.scaling.minReplicas while the operator's own autoscaler scales the same pods, and Kubernetes lets neither: delete it, or leave out spec.scaling.maxReplicas.`
      : `${kind} ${name} sets the size of Deployment ${service.metadata.name}, so spec.scaling is left aside: delete it, or ${fixed ? '' : 'leave out spec.scaling.maxReplicas and '}have it scale the ModelService instead of the Deployment.`;
  return { type, status: 'False', reason: 'OutsideAutoscaler', message };
}
