import { NAME_LABEL, SERVER_CONTAINER } from '../conventions.ts';
import { type ContainerStatus, isPodReady, type Pod } from '../live-objects.ts';
import type { Problem } from './problem.ts';
import { isServerReason } from './reasons.ts';

const LONGEST_MESSAGE = 1000;

/** Which causes are told first, where pods differ: the nearer to the model owner's own doing, the earlier. */
const PRECEDENCE: readonly ((pod: Pod) => Problem | undefined)[] = [
  serverFailure,
  containerConfig,
  imagePull,
  unschedulable,
];

/**
 * The first cause why pods do not answer; undefined where they merely take their time. Texts name no pod, so that they
 * stay the same while pods come and go.
 */
export function podProblem(pods: readonly Pod[]): Problem | undefined {
  const waiting = pods.filter((pod) => !isPodReady(pod) && pod.metadata.deletionTimestamp === undefined);
  for (const cause of PRECEDENCE) {
    for (const pod of waiting) {
      const problem = cause(pod);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function serverStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === SERVER_CONTAINER);
}

/** How the server ended: now, or before the restart that is under way. */
function serverFailure(pod: Pod): Problem | undefined {
  const status = serverStatus(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended === undefined) return undefined;
  const said = parseTermination(ended.message);
  if (said !== undefined) return said;
  if (ended.reason === 'OOMKilled') {
    return {
      reason: 'OutOfMemory',
      message: 'The server used more memory than its limit: raise spec.server.resources.limits.memory.',
    };
  }
  // A clean end, as on eviction or a node's shutdown, says nothing about the model.
  if (ended.exitCode === 0) return undefined;
  const name = pod.metadata.labels?.[NAME_LABEL] ?? '';
  return {
    reason: 'ServerFailed',
    message: `The server ended with exit code ${ended.exitCode} before it answered: see kubectl logs --previous -l ${NAME_LABEL}=${name}`,
  };
}

/** The typed reason in a termination message: `{"reason", "message", "model"}`. */
function parseTermination(text: string | undefined): Problem | undefined {
  if (text === undefined || !text.trimStart().startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || !('reason' in parsed) || !isServerReason(parsed.reason)) {
      return undefined;
    }
    const message = 'message' in parsed && typeof parsed.message === 'string' ? parsed.message : '';
    return { reason: parsed.reason, message: shortened(message) };
  } catch {
    return undefined;
  }
}

function containerConfig(pod: Pod): Problem | undefined {
  const waiting = serverStatus(pod)?.state?.waiting;
  if (waiting?.reason !== 'CreateContainerConfigError' && waiting?.reason !== 'CreateContainerError') return undefined;
  return {
    reason: 'ContainerConfigInvalid',
    message: `The server's container cannot be made: ${shortened(waiting.message ?? waiting.reason)}. Check spec.server.env and what it refers to.`,
  };
}

function imagePull(pod: Pod): Problem | undefined {
  const status = serverStatus(pod);
  const reason = status?.state?.waiting?.reason ?? '';
  // The kubelet alternates between these; their own messages would make ours flap.
  if (!['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'].includes(reason)) return undefined;
  const image = pod.spec.containers.find(({ name }) => name === SERVER_CONTAINER)?.image ?? '';
  return {
    reason: 'ImagePullFailed',
    message: `The image ${image} cannot be pulled: check its name, and spec.pod.imagePullSecrets where its registry asks for credentials.`,
  };
}

function unschedulable(pod: Pod): Problem | undefined {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  return {
    reason: 'Unschedulable',
    message: `No node can take a pod: ${shortened(scheduled.message ?? '')} Add such a node, or change spec.server.resources, spec.gpu or spec.pod.`,
  };
}

function shortened(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE - 1)}…`;
}
