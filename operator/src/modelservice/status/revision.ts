import { REVISION_LABEL } from '../conventions.ts';
import { isPodReady, type Pod } from '../live-objects.ts';
import type { ModelInfo } from '../model-info.ts';
import type { RevisionStatus } from '../types.generated.ts';
import type { StatusInput } from './facts.ts';
import type { Problem } from './problem.ts';

type Input = Pick<StatusInput, 'service' | 'pods' | 'revision'>;

/**
 * Which pods are wanted, which answer, and the content that the wanted ones have; undefined where none can be made. What
 * was told before is the memory: the first content of a revision stays its content.
 */
export function revisionOf(
  { service, pods, revision }: Input,
  info: ReadonlyMap<string, ModelInfo>,
): RevisionStatus | undefined {
  const before = service.status.revision;
  const oldest = pods.findLast((pod) => isPodReady(pod) && revisionOfPod(pod) !== undefined);
  const ready = (oldest && revisionOfPod(oldest)) ?? before?.ready;
  if (revision === undefined) return before;
  const remembered = before?.wanted === revision ? before.digest : undefined;
  const digest = remembered ?? digestsOf(pods, revision, info)[0];
  return {
    wanted: revision,
    ...(ready === undefined ? {} : { ready }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Pods of the wanted revision have loaded other content than its first pod. */
export function contentProblem(
  { service, pods }: Input,
  revision: RevisionStatus | undefined,
  info: ReadonlyMap<string, ModelInfo>,
): Problem | undefined {
  if (revision?.digest === undefined) return undefined;
  const other = digestsOf(pods, revision.wanted, info).find((digest) => digest !== revision.digest);
  if (other === undefined) return undefined;
  return {
    reason: 'ContentChanged',
    message: `${service.spec.model.uri} has changed: a pod answers with ${other}, and the first one loaded ${revision.digest}. Set spec.model.digest to what you want: then no pod serves anything else.`,
  };
}

/** What ready pods of that revision have told of their content, the oldest pod first. */
function digestsOf(pods: readonly Pod[], revision: string, info: ReadonlyMap<string, ModelInfo>): readonly string[] {
  return pods
    .filter((pod) => isPodReady(pod) && revisionOfPod(pod) === revision)
    .map((pod) => info.get(pod.metadata.uid)?.digest)
    .filter((digest) => digest !== undefined)
    .reverse();
}

function revisionOfPod(pod: Pod): string | undefined {
  return pod.metadata.labels?.[REVISION_LABEL];
}
