import type { Intent } from '../../kube/types.ts';
import { durationMs } from '../../runtime/duration.ts';
import { POD_TEMPLATE_ANNOTATION, RESUME_REPLICAS_ANNOTATION, stablePodLabels } from '../conventions.ts';
import type { DeploymentStrategy } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { childMetadata } from './child-metadata.ts';
import type { ChosenTemplate } from './stored-template.ts';

/** What a rollout may take beyond one pod's start: finding a node and pulling an image of some gigabytes. */
const SCHEDULE_AND_PULL_SECONDS = 600;

/**
 * The Deployment of `service`, without `spec.replicas`: that number has a field manager of its own (replicas.ts).
 * `resumeReplicas` is what a suspended service comes back to.
 */
export function deploymentOf(
  service: ModelService,
  { template, annotation }: Pick<ChosenTemplate, 'template' | 'annotation'>,
  strategy: DeploymentStrategy,
  resumeReplicas: number | undefined,
): Intent {
  const annotations = {
    ...(annotation === undefined ? {} : { [POD_TEMPLATE_ANNOTATION]: annotation }),
    ...(resumeReplicas === undefined ? {} : { [RESUME_REPLICAS_ANNOTATION]: String(resumeReplicas) }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(service, { annotations: Object.keys(annotations).length === 0 ? undefined : annotations }),
    spec: {
      selector: { matchLabels: stablePodLabels(service.metadata.name) },
      strategy,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: progressDeadlineSeconds(service),
      template,
    },
  };
}

/** After so long without progress a rollout has failed; longer than one pod may take to start. */
export function progressDeadlineSeconds(service: ModelService): number {
  const { server, rollout } = service.spec;
  if (rollout.progressDeadline !== undefined) return Math.ceil(durationMs(rollout.progressDeadline) / 1000);
  return Math.ceil(durationMs(server.startupTimeout) / 1000) + SCHEDULE_AND_PULL_SECONDS;
}
