import { DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, SERVICE } from '../../kube/resources.ts';
import type { Intent, KubeObject, ResourceType } from '../../kube/types.ts';
import type { Child, Observed } from '../observed.ts';
import type { ModelService } from '../resource.ts';
import type { ChildProblem } from '../status/problem.ts';
import { deploymentOf } from './deployment.ts';
import { horizontalPodAutoscalerOf } from './horizontal-pod-autoscaler.ts';
import { decideReplicas } from './replicas.ts';
import { type ServerImages, serverImageOf } from './server-image.ts';
import { serviceOf } from './service.ts';

export interface PlanConfig {
  readonly images: ServerImages;
}

/** One object that we want as `intent` says; `live` is what is there. */
export interface PlannedChild {
  readonly type: ResourceType;
  readonly intent: Intent;
  readonly live: KubeObject | undefined;
}

export interface Prune {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

export interface Plan {
  readonly image: string | undefined;
  /** Children of a feature that was switched off, ours to delete. */
  readonly prune: readonly Prune[];
  readonly children: readonly PlannedChild[];
  /** The number that `modelservice-replicas` applies to the Deployment; undefined: none. */
  readonly replicas: number | undefined;
  /** What keeps a part of the plan from being made at all. */
  readonly problems: readonly ChildProblem[];
}

/** What should be, for `service` and what is observed. A pure function: all writing is act.ts's. */
export function plan(service: ModelService, observed: Observed, config: PlanConfig): Plan {
  const image = serverImageOf(service, config.images);
  const deployment = observed.deployment.state === 'owned' ? observed.deployment.object : undefined;
  const { replicas, resumeReplicas } = decideReplicas(service, deployment);
  const children: PlannedChild[] = [];
  const problems: ChildProblem[] = [];

  function want(type: ResourceType, child: Child, intent: Intent): void {
    if (child.state === 'foreign') problems.push(foreignChild(type, child.object));
    else children.push({ type, intent, live: child.state === 'owned' ? child.object : undefined });
  }

  if (image === undefined) problems.push(missingImage());
  else want(DEPLOYMENT, observed.deployment, deploymentOf(service, image, resumeReplicas));
  want(SERVICE, observed.service, serviceOf(service));
  const autoscaler = horizontalPodAutoscalerOf(service);
  if (autoscaler !== undefined) want(HORIZONTAL_POD_AUTOSCALER, observed.autoscaler, autoscaler);

  const prune: readonly Prune[] =
    autoscaler === undefined && observed.autoscaler.state === 'owned'
      ? [{ type: HORIZONTAL_POD_AUTOSCALER, object: observed.autoscaler.object }]
      : [];
  const hasDeployment = children.some(({ type }) => type === DEPLOYMENT);
  return { image, prune, children, replicas: hasDeployment ? replicas : undefined, problems };
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
