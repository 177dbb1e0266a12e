import { urlOf } from '../plan/service.ts';
import type { ModelService } from '../resource.ts';
import type { ConditionDraft } from './condition-draft.ts';
import type { Facts } from './facts.ts';
import type { Problem } from './problem.ts';
import type { Reason } from './reasons.ts';

/** Ready: requests are answered. */
/** @param content what is wrong with what pods that answer have loaded */
export function readyCondition(service: ModelService, facts: Facts, content?: Problem): ConditionDraft {
  const { serviceProblem, deploymentProblem, cause } = facts;
  if (serviceProblem !== undefined) return no(serviceProblem);
  if (deploymentProblem !== undefined) {
    return facts.ready > 0
      ? yes('OldRevisionServing', `The pods from before the change answer. ${deploymentProblem.message}`)
      : no(deploymentProblem);
  }
  if (service.spec.suspend) {
    return no({ reason: 'Suspended', message: 'spec.suspend is true: set it to false to bring the pods back.' });
  }
  if (facts.idle) return idle(service, facts);
  if (facts.wanted === 0) return no({ reason: 'ScaledToZero', message: scaledToZero(service) });
  if (facts.waking) return no({ reason: 'Waking', message: waking(facts) });
  if (facts.ready === 0) return no(cause ?? starting(facts));
  if (!facts.rolledOut) {
    const why = cause === undefined ? '' : ` ${cause.message}`;
    return facts.expired
      ? yes('OldRevisionServing', `The change could not be rolled out; the pods from before it answer.${why}`)
      : yes('RolloutInProgress', `The pods from before the change answer until new ones are ready.${why}`);
  }
  if (facts.ready < facts.minimum) {
    const why = cause === undefined ? '' : ` ${cause.message}`;
    return yes('PodsMissing', `Fewer pods answer than the minimum of ${facts.minimum}.${why}`);
  }
  if (content !== undefined) return yes(content.reason, content.message);
  return yes('Serving', `Requests to ${urlOf(service)} are answered.`);
}

function idle(service: ModelService, facts: Facts): ConditionDraft {
  return facts.held
    ? yes(
        'Idle',
        `Nobody asked for ${service.spec.scaling.idleAfter}: there are no pods. The gateway holds the next request to ${urlOf(service)} until one is ready.`,
      )
    : no({ reason: 'GatewayNotReady', message: 'There are no pods, and no gateway that would hold requests.' });
}

function waking(facts: Facts): string {
  const holding = facts.held ? 'the gateway holds requests until one is ready' : 'no gateway holds requests meanwhile';
  const why = facts.cause?.message ?? (facts.expired ? deadlineMessage : undefined);
  return `Pods are starting after a time at zero; ${holding}.${why === undefined ? '' : ` ${why}`}`;
}

function starting(facts: Facts): Problem {
  return facts.expired
    ? { reason: 'DeadlineExceeded', message: deadlineMessage }
    : { reason: 'PodsStarting', message: 'Pods are starting: each fetches, loads and warms up the model.' };
}

const deadlineMessage =
  'Pods did not become ready in time: see their events and logs, and raise spec.server.startupTimeout if the model needs longer.';

function scaledToZero(service: ModelService): string {
  const { name } = service.metadata;
  return service.spec.scaling.maxReplicas === undefined
    ? `The size is zero: bring pods back with kubectl scale msvc ${name} --replicas=1.`
    : `The Deployment was set to zero by hand, which pauses the autoscaler: bring pods back with kubectl scale deployment ${name} --replicas=${service.spec.scaling.minReplicas}.`;
}

function yes(reason: Reason, message: string): ConditionDraft {
  return { type: 'Ready', status: 'True', reason, message };
}

function no({ reason, message }: Problem): ConditionDraft {
  return { type: 'Ready', status: 'False', reason, message };
}
