import { METRICS_PORT } from '../conventions.ts';
import { mayGoToZero, type ZeroObstacle } from '../plan/scale-to-zero.ts';
import type { ModelService } from '../resource.ts';
import type { ConditionDraft } from './condition-draft.ts';

const OBSTACLES: Readonly<Record<ZeroObstacle, string>> = {
  OutsideAutoscaler:
    'The pods stay, because somebody else’s autoscaler sets their number: see the condition AutoscalingActive.',
  NoGateway:
    'One pod stays at all times, because this operator has no gateway that would hold requests: install the chart with gateway.replicas of 1 or more, or set spec.scaling.minReplicas to 1 and leave out idleAfter.',
  NoGatewayPort: 'One pod stays, because all ports of the gateway are taken: see the condition Stalled.',
  GatewayNotReady:
    'One pod stays, because no pod of the gateway holds requests for this service: see kubectl get pods -A -l app.kubernetes.io/name=modelservice-operator-gateway.',
  RolloutInProgress:
    'The pods stay until the change of the spec is rolled out: where that does not end, the condition Ready says why.',
  ActivityUnknown: `One pod stays, because not all pods say when they were last asked: see their /metrics at port ${METRICS_PORT}, and NetworkPolicies between the operator and them.`,
};

/** CanScaleToZero: whether the pods are stopped once nobody asks. Undefined where the manifest does not ask for it. */
export function canScaleToZeroCondition(
  service: ModelService,
  obstacle: ZeroObstacle | undefined,
): ConditionDraft | undefined {
  if (!mayGoToZero(service) || service.spec.suspend) return undefined;
  const type = 'CanScaleToZero';
  if (obstacle !== undefined) return { type, status: 'False', reason: obstacle, message: OBSTACLES[obstacle] };
  return {
    type,
    status: 'True',
    reason: 'GatewayReady',
    message: `After ${service.spec.scaling.idleAfter} without a request the pods are stopped; the gateway then holds requests until one is ready.`,
  };
}
