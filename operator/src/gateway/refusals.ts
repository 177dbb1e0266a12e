import { Refusal } from './answer.ts';
import type { ModelService } from './contract.ts';
import type { RefusalCause } from './waiting-room.ts';

/** Somebody decided that there are no pods; a request does not change that. */
const AT_REST = new Set(['Suspended', 'ScaledToZero']);
const FULL_RETRY_SECONDS = 5;
const DEADLINE_RETRY_SECONDS = 15;
const STOPPING_RETRY_SECONDS = 1;

/**
 * Why a request for a service without a ready pod is not held; undefined: it is, and the service is woken.
 *
 * @param service `namespace/name`
 */
export function stateRefusal(service: string, found: ModelService | undefined): Refusal | undefined {
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
    return new Refusal(503, `there is no ModelService ${service} any more`);
  }
  const state = found.status?.scaling?.state;
  if (found.spec?.suspend !== true && (state === undefined || !AT_REST.has(state))) return undefined;
  // Its status may not tell yet.
  const why = found.spec?.suspend === true ? 'spec.suspend is true' : reasonOf(found);
  return new Refusal(503, `ModelService ${service} has no pods: ${why}`);
}

export function holdRefusal(service: string, found: ModelService | undefined, cause: RefusalCause): Refusal {
  return cause === 'full'
    ? new Refusal(503, `too many requests wait for ModelService ${service} already`, FULL_RETRY_SECONDS)
    : new Refusal(
        503,
        `ModelService ${service} did not become ready in time: ${reasonOf(found)}`,
        DEADLINE_RETRY_SECONDS,
      );
}

export function stoppingRefusal(service: string): Refusal {
  const message = `the gateway that held this request for ModelService ${service} has to stop`;
  return new Refusal(503, message, STOPPING_RETRY_SECONDS);
}

/** What the ModelService itself says. */
function reasonOf(service: ModelService | undefined): string {
  const ready = service?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? 'its status does not say why' : `${ready.reason}: ${ready.message}`;
}
