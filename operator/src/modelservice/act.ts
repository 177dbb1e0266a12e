import type { KubeApi } from '../kube/api.ts';
import { ApiError, isConflict, isForbidden, isInvalid, isNamespaceTerminating } from '../kube/errors.ts';
import { DEPLOYMENT, SCALED_OBJECT } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import type { Applier } from '../runtime/applier.ts';
import type { ReconcileContext } from '../runtime/reconcile.ts';
import { FIELD_MANAGER, REPLICAS_FIELD_MANAGER } from './conventions.ts';
import type { Deployment } from './live-objects.ts';
import type { Plan, PlannedChild } from './plan/plan.ts';
import type { AppliedSize } from './plan/replicas.ts';
import { sizeIntent } from './size-intent.ts';
import type { ChildProblem } from './status/problem.ts';

export interface ActResult {
  /** The Deployment after the writes; undefined where there is none of ours. */
  readonly deployment: Deployment | undefined;
  readonly deploymentChanged: boolean;
  /** What the API server refused and would refuse again. */
  readonly refusals: readonly ChildProblem[];
  /** A child that no store holds could not be made: there is something of its name. */
  readonly nameTaken: boolean;
}

/** Writes what differs from `plan`. Throws for whatever trying again may cure. */
export async function act(plan: Plan, api: KubeApi, applier: Applier, context: ReconcileContext): Promise<ActResult> {
  const { signal, log } = context;
  // First, so that no autoscaler works against the number that is applied below.
  for (const { type, object } of plan.prune) {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
    // Neither another one of that name, nor one that was given to somebody else since we looked: the next pass decides.
    await api.delete(type, ref, { uid, resourceVersion, propagationPolicy: 'Background' }, signal);
    log.info({ kind: type.kind }, 'Deleted a child that is no longer wanted');
  }
  let deployment: Deployment | undefined;
  let deploymentChanged = false;
  let nameTaken = false;
  const refusals: ChildProblem[] = [];

  async function attempt(kind: string, live: KubeObject | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (live === undefined && isConflict(error)) {
        nameTaken = true;
        return;
      }
      if (!isRefusal(error)) throw error;
      log.warn({ err: error, kind }, 'Was refused a child');
      refusals.push({ kind, reason: 'Refused', message: refusalMessage(kind, error) });
    }
  }

  async function applyChild({ type, intent, live }: PlannedChild): Promise<KubeObject> {
    const applied = await applier.apply(type, intent, live, { fieldManager: FIELD_MANAGER }, signal);
    if (applied.difference !== undefined) {
      log.info({ kind: type.kind, difference: applied.difference }, 'Applied a child');
      if (type === DEPLOYMENT) deploymentChanged = true;
    }
    return applied.object;
  }

  async function applySize(live: Deployment, size: AppliedSize): Promise<Deployment> {
    const options = { fieldManager: REPLICAS_FIELD_MANAGER };
    const applied = await applier.apply(DEPLOYMENT, sizeIntent(live, size), live, options, signal);
    if (applied.difference !== undefined) {
      log.info({ replicas: size.replicas, idleSince: size.idleSince }, 'Set the number of pods');
      deploymentChanged = true;
    }
    return applied.object;
  }

  async function carryOut(children: readonly PlannedChild[]): Promise<void> {
    await Promise.all(
      children.map((child) =>
        attempt(child.type.kind, child.live, async () => {
          if (child.type !== DEPLOYMENT) {
            await applyChild(child);
            return;
          }
          deployment = child.live as Deployment | undefined;
          deployment = (await applyChild(child)) as Deployment;
          if (plan.size !== undefined) deployment = await applySize(deployment, plan.size);
        }),
      ),
    );
  }
  // KEDA has to be paused before there are no pods, else it brings one back.
  const scaledObjects = plan.children.filter(({ type }) => type === SCALED_OBJECT);
  await carryOut(scaledObjects);
  await carryOut(plan.children.filter((child) => !scaledObjects.includes(child)));
  const sorted = refusals.toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  return { deployment, deploymentChanged, refusals: sorted, nameTaken };
}

/** Refused for what it is, not for the moment: sending it again would not help. */
function isRefusal(error: unknown): error is ApiError {
  if (!(error instanceof ApiError) || isNamespaceTerminating(error)) return false;
  return isInvalid(error) || isForbidden(error);
}

function refusalMessage(kind: string, error: ApiError): string {
  return `The API server refuses the ${kind}: ${error.statusMessage}`;
}
