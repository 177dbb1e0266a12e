import { TEMPLATE_LABEL } from '../conventions.ts';
import { isPodReady, type Pod } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { containerConfig, imagePull } from './container-problem.ts';
import { disrupted, nodeLost, unschedulable } from './placement.ts';
import { setupFailing } from './pod-setup.ts';
import { probeFailing } from './probe-failing.ts';
import type { Problem } from './problem.ts';
import { serverFailure } from './server-failure.ts';

type Cause = (pod: Pod, service: ModelService, pods: readonly Pod[], now: number) => Problem | undefined;

/** Which causes are told first, where pods differ: the nearer to the model owner's own doing, the earlier. */
const PRECEDENCE: readonly Cause[] = [
  serverFailure,
  containerConfig,
  imagePull,
  unschedulable,
  setupFailing,
  nodeLost,
  disrupted,
  probeFailing,
];

/**
 * The first cause why pods of the newest template do not answer; undefined where they merely take their time. Texts name
 * no pod, so that they stay the same while pods come and go.
 *
 * @param pods newest first
 * @param now milliseconds since the epoch
 */
export function podProblem(service: ModelService, pods: readonly Pod[], now: number): Problem | undefined {
  const newest = pods[0]?.metadata.labels?.[TEMPLATE_LABEL];
  const candidates = pods.filter((pod) => !isPodReady(pod) && pod.metadata.labels?.[TEMPLATE_LABEL] === newest);
  for (const cause of PRECEDENCE) {
    for (const pod of candidates) {
      // One that is being deleted tells only who ended it.
      if (pod.metadata.deletionTimestamp !== undefined && cause !== disrupted) continue;
      const problem = cause(pod, service, pods, now);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}
