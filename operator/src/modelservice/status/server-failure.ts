import { durationMs } from '../../runtime/duration.ts';
import { NAME_LABEL, SERVER_CONTAINER } from '../conventions.ts';
import type { ContainerState, Pod } from '../live-objects.ts';
import { timeOf } from '../plan/idleness.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';
import { isServerReason } from './reasons.ts';
import { serverStatus } from './server-status.ts';
import { shortened, withoutFullStop } from './shortened.ts';

type Ended = NonNullable<ContainerState['terminated']>;

/** How a server ends that the kubelet stops: by itself, by SIGTERM, or by SIGKILL when it took too long. */
const STOPPED = new Set([0, 128 + 15, 128 + 9]);
/** How much longer than spec.server.startupTimeout a server lives that is stopped for it: the last probe and the drain. */
const STOP_SLACK_MS = 120_000;

/** How the server ended: now, or before the restart that is under way. So a crash loop tells one cause all the time. */
export function serverFailure(pod: Pod, service: ModelService): Problem | undefined {
  const status = serverStatus(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended === undefined) return undefined;
  const said = parseTermination(ended.message);
  if (said !== undefined) return said;
  if (ended.reason === 'OOMKilled') return { reason: 'OOMKilled', message: outOfMemory(pod) };
  if (ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun') {
    const why = withoutFullStop(ended.message ?? ended.reason);
    return { reason: 'ServerFailed', message: `The server cannot be started: ${why}. Check spec.server.image.` };
  }
  const { startupTimeout } = service.spec.server;
  if (status?.started !== true && wasTooSlow(ended, durationMs(startupTimeout))) {
    return {
      reason: 'StartupTimeout',
      message: `The model was not loaded within spec.server.startupTimeout of ${startupTimeout} and the server is started again: raise it, or see kubectl logs --previous -l ${NAME_LABEL}=${service.metadata.name}`,
    };
  }
  // A clean end, as on eviction or a node's shutdown, says nothing about the model.
  if (ended.exitCode === 0) return undefined;
  return {
    reason: 'ServerFailed',
    message: `The server ended with exit code ${ended.exitCode}: see kubectl logs --previous -l ${NAME_LABEL}=${service.metadata.name}`,
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

function outOfMemory(pod: Pod): string {
  const limit = pod.spec.containers.find(({ name }) => name === SERVER_CONTAINER)?.resources?.limits?.memory;
  return limit === undefined
    ? 'The node ran out of memory and ended the server: set spec.server.resources.requests.memory to what the model needs.'
    : `The server used more memory than its limit of ${limit}: raise spec.server.resources.limits.memory.`;
}

/** Whether it lived for just as long as a server that the startup probe gives up; later ends have other causes. */
function wasTooSlow({ exitCode, startedAt, finishedAt }: Ended, timeoutMs: number): boolean {
  const [from, to] = [timeOf(startedAt ?? undefined), timeOf(finishedAt ?? undefined)];
  if (!STOPPED.has(exitCode) || from === undefined || to === undefined) return false;
  // Kubernetes' times are whole seconds.
  return to - from >= timeoutMs - 1000 && to - from <= timeoutMs + STOP_SLACK_MS;
}
