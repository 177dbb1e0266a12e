import { DEPLOYMENT, ENDPOINT_SLICE, POD_DISRUPTION_BUDGET, SERVICE } from '../../kube/resources.ts';
import type { Intent, KubeObject, ResourceType } from '../../kube/types.ts';
import { keyOf } from '../../runtime/object-key.ts';
import type { Child, Observed } from '../observed.ts';
import type { ModelService } from '../resource.ts';
import type { ChildProblem } from '../status/problem.ts';
import { autoscalerPlan, type Scaler } from './autoscaler.ts';
import { deploymentOf } from './deployment.ts';
import { chooseGatewayPort, FIRST_PORT, LAST_PORT } from './gateway-port.ts';
import { gatewayAddressType, gatewaySliceOf } from './gateway-slice.ts';
import { podDisruptionBudgetOf } from './pod-disruption-budget.ts';
import { goner, type Prune } from './prune.ts';
import { type AppliedSize, decideReplicas } from './replicas.ts';
import { decideRollout, type RolloutDecision } from './rollout-strategy.ts';
import { decideScaleToZero, type ScaleToZero } from './scale-to-zero.ts';
import type { ServerImages } from './server-image.ts';
import { serviceOf } from './service.ts';
import { chooseTemplate, type RenderTemplate } from './stored-template.ts';

export interface PlanConfig extends PlanOverrides {
  readonly images: ServerImages;
  readonly scaler: Scaler;
}

export interface PlanOverrides {
  /** Default: as podTemplateOf does. */
  readonly renderTemplate?: RenderTemplate | undefined;
  /** How long an Auto rollout waits for a GPU before it replaces. Default: {@link CAPACITY_PATIENCE_MS}. */
  readonly capacityPatienceMs?: number | undefined;
}

/** One object that we want as `intent` says; `live` is what is there. */
export interface PlannedChild {
  readonly type: ResourceType;
  readonly intent: Intent;
  readonly live: KubeObject | undefined;
}

export interface Plan {
  /** Children of a feature that was switched off, ours to delete. */
  readonly prune: readonly Prune[];
  readonly children: readonly PlannedChild[];
  /** What `modelservice-replicas` applies to the Deployment; undefined: nothing. */
  readonly size: AppliedSize | undefined;
  readonly scaleToZero: ScaleToZero;
  readonly rollout: RolloutDecision;
  /** Of the pods that are wanted; undefined where they cannot be made. */
  readonly revision: string | undefined;
  /** The gateway's port for this service, where it has a slice. */
  readonly gatewayPort: number | undefined;
  /** What keeps a part of the plan from being made at all. */
  readonly problems: readonly ChildProblem[];
}

/** What should be, for `service` and what is observed. A pure function: all writing is act.ts's. */
export function plan(service: ModelService, observed: Observed, config: PlanConfig): Plan {
  const deployment = observed.deployment.state === 'owned' ? observed.deployment.object : undefined;
  const slice = observed.slice.state === 'owned' ? observed.slice.object : undefined;
  const port = chooseGatewayPort(keyOf(service), slice, observed.otherSlices);
  const scaledOutside = observed.outsideAutoscaler?.target === 'Deployment';
  const scaleToZero = decideScaleToZero({ ...observed, service, deployment, slice, port, scaledOutside });
  const { step } = scaleToZero;
  const { size, resumeReplicas } = decideReplicas(service, deployment, step, observed.now, scaledOutside);
  const children: PlannedChild[] = [];
  const problems: ChildProblem[] = [];

  function want(type: ResourceType, child: Child, intent: Intent): void {
    if (child.state === 'foreign') problems.push(foreignChild(type, child.object));
    else children.push({ type, intent, live: child.state === 'owned' ? child.object : undefined });
  }

  const rollout = decideRollout(service, deployment, observed.pods, observed.now, config.capacityPatienceMs);
  const template = chooseTemplate(service, deployment, config.images, config.renderTemplate);
  if (template === undefined) problems.push(missingImage());
  else want(DEPLOYMENT, observed.deployment, deploymentOf(service, template, rollout.strategy, resumeReplicas));
  want(SERVICE, observed.service, serviceOf(service));
  const pauses = (size?.replicas ?? deployment?.spec.replicas) === 0;
  const autoscaler = autoscalerPlan(service, observed, config.scaler, pauses);
  if (autoscaler.wanted !== undefined) {
    const { type, child, intent } = autoscaler.wanted;
    want(type, child, intent);
  }

  const addressType = gatewayAddressType(observed.gateway?.pods ?? [], slice);
  // Its addresses' type cannot change: it goes first, and the next pass makes another one.
  const misfit = slice !== undefined && slice.addressType !== addressType;
  if (scaleToZero.wantsSlice && !misfit) {
    if (port === undefined) problems.push(noGatewayPort());
    else want(ENDPOINT_SLICE, observed.slice, gatewaySliceOf(service, addressType, port, scaleToZero.holders));
  }

  const budget = podDisruptionBudgetOf(service);
  if (budget !== undefined) want(POD_DISRUPTION_BUDGET, observed.budget, budget);

  const prune: Prune[] = [...autoscaler.prune];
  if (budget === undefined) prune.push(...goner({ type: POD_DISRUPTION_BUDGET, child: observed.budget }));
  if (slice !== undefined && (misfit || !scaleToZero.wantsSlice)) prune.push({ type: ENDPOINT_SLICE, object: slice });
  const hasDeployment = children.some(({ type }) => type === DEPLOYMENT);
  return {
    prune,
    children,
    size: hasDeployment ? size : undefined,
    scaleToZero,
    rollout,
    revision: template?.revision,
    gatewayPort: port,
    problems,
  };
}

function foreignChild(type: ResourceType, object: KubeObject): ChildProblem {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const owner =
    controller === undefined ? 'was not made by this operator' : `belongs to ${controller.kind} ${controller.name}`;
  return {
    kind: type.kind,
    reason: 'NameTaken',
    message: `${type.kind} ${object.metadata.name} ${owner} and is left alone: delete it, or give this ModelService another name.`,
  };
}

function missingImage(): ChildProblem {
  return {
    kind: DEPLOYMENT.kind,
    reason: 'NoServerImage',
    message:
      'This operator has no server image for GPUs: set spec.server.image, or install the operator with server.images.tensorflowGPU.',
  };
}

function noGatewayPort(): ChildProblem {
  return {
    kind: ENDPOINT_SLICE.kind,
    reason: 'NoGatewayPort',
    message: `All of the gateway's ports from ${FIRST_PORT} to ${LAST_PORT} are taken: leave out idleAfter and set minReplicas to 1, or take idleAfter from services that are seldom idle.`,
  };
}
