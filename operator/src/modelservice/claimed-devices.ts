import type { KubeApi } from '../kube/api.ts';
import { isForbidden, isInvalid } from '../kube/errors.ts';
import { DEPLOYMENT } from '../kube/resources.ts';
import { FIELD_MANAGER, SERVER_CONTAINER } from './conventions.ts';
import type { Deployment, PodTemplateSpec } from './live-objects.ts';
import type { Plan } from './plan/plan.ts';
import type { ModelService } from './resource.ts';
import type { ChildProblem } from './status/problem.ts';

/** By which pods ask for devices; Kubernetes 1.34 serves it by default. */
const GROUP = 'resource.k8s.io';

const NOT_SERVED: ChildProblem = {
  kind: DEPLOYMENT.kind,
  reason: 'ResourceClaimsNotServed',
  message:
    'This cluster does not serve resource.k8s.io, so pods would run without the devices of spec.pod.resourceClaims, and none are made: enable dynamic resource allocation in the cluster, or ask for GPUs with spec.gpu.count.',
};

/**
 * `plan` as it may be carried out: without the Deployment where the pods would not get the devices that they claim. An
 * API server that lacks dynamic resource allocation drops the claims without a word. Once the live Deployment has them
 * they stay, and nothing is asked.
 */
export async function planWithDevices(
  plan: Plan,
  service: ModelService,
  api: Pick<KubeApi, 'apply' | 'servedVersions'>,
  signal: AbortSignal,
): Promise<Plan> {
  const claims = (service.spec.pod.resourceClaims ?? []).map(({ name }) => name);
  const child = plan.children.find(({ type }) => type === DEPLOYMENT);
  if (claims.length === 0 || child === undefined) return plan;
  if (child.live !== undefined && hasClaims(child.live as Deployment, claims)) return plan;
  if ((await api.servedVersions(GROUP, signal)).length > 0) {
    try {
      const options = { fieldManager: FIELD_MANAGER, dryRun: true };
      const tried = await api.apply<Deployment>(DEPLOYMENT, child.intent, options, signal);
      if (hasClaims(tried, claims)) return plan;
    } catch (error) {
      // Refused for something else, which the apply itself will be told again and report.
      if (isInvalid(error) || isForbidden(error)) return plan;
      throw error;
    }
  }
  return {
    ...plan,
    children: plan.children.filter((other) => other !== child),
    size: undefined,
    problems: [...plan.problems, NOT_SERVED],
  };
}

function hasClaims({ spec: { template } }: Deployment, claims: readonly string[]): boolean {
  const { resourceClaims = [], containers }: PodTemplateSpec = template.spec;
  const used = containers.find(({ name }) => name === SERVER_CONTAINER)?.resources?.claims ?? [];
  return [resourceClaims, used].every((list) => claims.every((claim) => list.some(({ name }) => name === claim)));
}
