import type { Problem } from './problem.ts';
import { withoutFullStop } from './shortened.ts';

/** What admission says, and what that means to the model owner; the first that fits. */
const KINDS: readonly (readonly [RegExp, (found: readonly string[]) => Problem])[] = [
  [
    /exceeded quota: ([^,]+), requested: (.+), used: .+, limited: (.+)$/s,
    ([, quota, requested, limited]) => ({
      reason: 'QuotaExceeded',
      message: `ResourceQuota ${quota} admits no more pods: ${requested} was requested, and the limit is ${limited}. Have it raised, or lower spec.scaling or spec.server.resources.`,
    }),
  ],
  [
    /failed quota: ([^:]+): must specify (.+)$/s,
    ([, quota, missing]) => ({
      reason: 'QuotaExceeded',
      message: `ResourceQuota ${quota} admits only pods that say what they use: set ${(missing ?? '').replaceAll(/ for: [^;]+/g, '').replaceAll(';', ',')} in spec.server.resources.`,
    }),
  ],
  [
    /violates PodSecurity "([^"]+)": (.+)$/s,
    ([, level, why]) => ({
      reason: 'PodSecurityViolation',
      message: `The namespace admits only pods of the level ${level}: ${withoutFullStop(why ?? '')}. Take out of the Deployment or spec.pod what breaks it, or use another namespace.`,
    }),
  ],
  [
    /((?:(?:maximum|minimum) \S+ usage per|\S+ max limit to request ratio per) [^\]]+)/s,
    ([, all]) => ({
      reason: 'LimitRangeViolation',
      message: `A LimitRange of the namespace refuses the pods: ${withoutFullStop(all ?? '')}. Change spec.server.resources.`,
    }),
  ],
  [
    /serviceaccount "([^"]+)" not found/,
    ([, name]) => ({
      reason: 'ServiceAccountNotFound',
      message: `There is no ServiceAccount ${name}: create it, or correct spec.pod.serviceAccountName.`,
    }),
  ],
  [
    /no PriorityClass with name (\S+) was found/,
    ([, name]) => ({
      reason: 'PriorityClassNotFound',
      message: `There is no PriorityClass ${name}: create it, or correct spec.pod.priorityClassName.`,
    }),
  ],
  [
    /RuntimeClass "([^"]+)" not found/,
    ([, name]) => ({
      reason: 'RuntimeClassNotFound',
      message: `There is no RuntimeClass ${name}: create it, or correct spec.pod.runtimeClassName.`,
    }),
  ],
];

/** Why the API server admits no pods. @param said what it said to the controller that makes them */
export function admissionProblem(said: string): Problem {
  for (const [pattern, problem] of KINDS) {
    const found = pattern.exec(said);
    if (found !== null) return problem(found);
  }
  // The name of the pod that was not made is another one at each try.
  const why = withoutFullStop(said.replace(/^pods? "[^"]*" is (forbidden|invalid): /i, ''));
  return { reason: 'PodsRefused', message: `The API server admits no pods: ${why}.` };
}
