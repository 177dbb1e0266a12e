import { REVISION_LABEL } from './conventions.ts';
import type { Deployment, Pod } from './live-objects.ts';

/**
 * The pods in the order in which they tell what is going on: those of the revision that the Deployment is to have now
 * before all others, which are on their way out however new they are, and the younger before the older. The revision
 * also tells apart pods of the same second, in which creation times are given.
 */
export function newestFirst(pods: readonly Pod[], deployment: Deployment | undefined): readonly Pod[] {
  const wanted = deployment?.spec.template.metadata?.labels?.[REVISION_LABEL];
  const rank = ({ metadata }: Pod): number =>
    wanted !== undefined && metadata.labels?.[REVISION_LABEL] === wanted ? 0 : 1;
  return pods.toSorted((a, b) => rank(a) - rank(b) || byAge(a, b));
}

function byAge(a: Pod, b: Pod): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (first !== second) return first < second ? 1 : -1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
