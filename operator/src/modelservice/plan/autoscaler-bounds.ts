import type { ModelService } from '../resource.ts';
import type { ScalingBehavior } from '../types.generated.ts';

/**
 * While new pods load, requests pile up at those that answer and would ask for still more: so a step up has a minute
 * to show its effect. The metrics are means of 15 s, so the first step needs no window of its own.
 */
const DEFAULT_BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 2, periodSeconds: 60 },
      { type: 'Percent', value: 100, periodSeconds: 60 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
  },
} as const satisfies ScalingBehavior;

export interface AutoscalerBounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly behavior: ScalingBehavior;
}

/** Between which sizes an autoscaler is to move and how fast, whoever makes it; undefined for a fixed size. */
export function autoscalerBoundsOf({ spec: { scaling } }: ModelService): AutoscalerBounds | undefined {
  const { minReplicas, maxReplicas, behavior } = scaling;
  if (maxReplicas === undefined) return undefined;
  // An autoscaler has no 0; going there and coming back is ours.
  return { minReplicas: Math.max(1, minReplicas), maxReplicas, behavior: { ...DEFAULT_BEHAVIOR, ...behavior } };
}
