import type { KubeApi } from '../kube/api.ts';
import { isForbidden, isNamespaceTerminating, isNotFound } from '../kube/errors.ts';
import { DEPLOYMENT } from '../kube/resources.ts';
import type { Intent } from '../kube/types.ts';
import type { Applier } from '../runtime/applier.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RecordEvent } from '../runtime/event-recorder.ts';
import type { Reconcile, ReconcileContext, ReconcileResult } from '../runtime/reconcile.ts';
import { act } from './act.ts';
import { planWithDevices } from './claimed-devices.ts';
import { FIELD_MANAGER } from './conventions.ts';
import { foreignFieldsOf } from './foreign-fields.ts';
import { type Gateway, observeGateway } from './gateway-pods.ts';
import { gather, type ListLive, podsOf, type Stores } from './gather.ts';
import type { Deployment } from './live-objects.ts';
import { LostRights } from './lost-rights.ts';
import type { ModelInfoReader } from './model-info.ts';
import type { Observed } from './observed.ts';
import { type Plan, type PlanConfig, plan } from './plan/plan.ts';
import type { PodActivityReader } from './pod-activity.ts';
import { MODEL_SERVICE, type ModelService, modelNameOf } from './resource.ts';
import { eventsOf } from './status/events.ts';
import type { MetricsFacts } from './status/metrics-api-problem.ts';
import type { ChildProblem } from './status/problem.ts';
import { statusIntent, statusOf } from './status/status.ts';
import { StatusPace } from './status/status-pace.ts';

export interface ReconcilerOptions {
  readonly api: KubeApi;
  readonly applier: Applier;
  readonly stores: Stores;
  readonly modelInfo: ModelInfoReader;
  readonly activity: PodActivityReader;
  /** Undefined: there is none, and no service goes to zero. */
  readonly gateway: Gateway | undefined;
  readonly config: PlanConfig;
  /** Asked at each pass. */
  readonly metrics: () => MetricsFacts;
  readonly recordEvent: RecordEvent;
  readonly clock: Clock;
}

/** What a refusal, of whose end nobody tells us, waits for its next try. */
const REFUSAL_RETRY_MS = 30_000;
/** The same for an object that is in the way, where only a look is taken. */
const NAME_TAKEN_RETRY_MS = 10_000;
/** Somebody was quicker than a look at what is there: what they made is soon in the store, or gone. */
const STORE_BEHIND_MS = 500;
/** Two writes of one status are at least so far apart. */
const STATUS_INTERVAL_MS = 250;

/** Gather, plan, act, tell. */
export function modelServiceReconciler(options: ReconcilerOptions): Reconcile {
  const { api, applier, stores, modelInfo, activity, gateway, config, metrics, recordEvent, clock } = options;
  const pace = new StatusPace(clock, STATUS_INTERVAL_MS);
  const lostRights = new LostRights(clock);
  /** Keys of services one of whose children has a name that something in no store has. */
  const namesTaken = new Set<string>();

  async function reconcile(key: string, service: ModelService, context: ReconcileContext): Promise<ReconcileResult> {
    const { signal } = context;
    const metricsFacts = metrics();
    const known = {
      modelInfo: modelInfo.known,
      activity: activity.known,
      gateway: observeGateway(key, gateway),
      kedaServed: metricsFacts.apis && metricsFacts.apis.keda.state === 'served',
      now: clock.now(),
    };
    const listLive: ListLive = async (type, selected) => (await api.list(type, selected, signal)).items;
    const observed = await gather(service, stores, known, config.scaler, listLive, namesTaken.has(key));
    const planned = await planWithDevices(plan(service, observed, config), service, api, signal);
    ask(key, planned, observed);
    const acted = await act(planned, api, applier, context);
    if (acted.nameTaken) {
      // Once more with a look at what is there; after that look it is the store that is behind.
      if (namesTaken.has(key)) return { requeueAfterMs: STORE_BEHIND_MS };
      namesTaken.add(key);
      return await reconcile(key, service, context);
    }
    if (!planned.problems.some(({ reason }) => reason === 'NameTaken')) namesTaken.delete(key);
    const { deploymentChanged, refusals } = acted;
    const left = observed.deployment.state === 'owned' ? observed.deployment.object : undefined;
    // One that is left as it is, for what should replace it cannot be made, serves all the same.
    const deployment = acted.deployment ?? left;
    const isNew = service.status.conditions === undefined;
    const waitMs = pace.waitMs(key, isNew);
    // The pass that changed the Deployment tells so at once: the next one does not know any more. Of a new one it does.
    if (waitMs > 0 && (isNew || !deploymentChanged)) return { requeueAfterMs: waitMs };
    const problems = [...planned.problems, ...refusals];
    const { pods, activity: readings, now } = observed;
    const { scaleToZero } = planned;
    const scaledByKeda = config.scaler.kind === 'keda';
    const own = observed.autoscaler.state === 'owned' ? observed.autoscaler.object : undefined;
    const { status, requeueAfterMs } = statusOf(
      {
        service,
        deployment,
        deploymentChanged,
        pods,
        autoscaler: scaledByKeda ? observed.kedaAutoscaler : own,
        scaledObject:
          scaledByKeda && observed.scaledObject.state === 'owned' ? observed.scaledObject.object : undefined,
        foreignFields: deployment && foreignFieldsIn(planned, deployment),
        outsideAutoscaler: observed.outsideAutoscaler,
        problems,
        metrics: metricsFacts,
        scaleToZero,
        capacity: planned.rollout.capacity,
        revision: planned.revision,
        activity: readings,
        now,
      },
      observed.modelInfo,
    );
    if (await writeStatus(service, statusIntent(service, status), signal)) {
      pace.written(key);
      for (const event of eventsOf(service.status.conditions ?? [], status.conditions ?? [])) {
        recordEvent(service, event);
      }
    }
    const statusMs = problems.length > 0 ? retryMsOf(problems) : requeueAfterMs;
    const planMs = earlier(scaleToZero.requeueAfterMs, planned.rollout.requeueAfterMs);
    return { requeueAfterMs: earlier(statusMs, planMs) };
  }

  /** Begins to ask what the next pass wants to know; each answer enqueues the key. */
  function ask(key: string, { scaleToZero, gatewayPort }: Plan, observed: Observed): void {
    if (scaleToZero.asksPods) activity.ask(key, observed.pods);
    if (gateway === undefined || observed.gateway === undefined) return;
    if (scaleToZero.asksGateway && gatewayPort !== undefined && observed.slice.state !== 'absent') {
      gateway.listeners.want(key, gatewayPort, observed.gateway.pods);
    } else gateway.listeners.forget(key);
  }

  /** True when something was sent. */
  async function writeStatus(service: ModelService, intent: Intent, signal: AbortSignal): Promise<boolean> {
    const options = { fieldManager: FIELD_MANAGER, subresource: 'status' } as const;
    try {
      const { difference } = await applier.apply(MODEL_SERVICE, intent, service, options, signal);
      return difference !== undefined;
    } catch (error) {
      // Deleted meanwhile: the store will hear of it.
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  return async (key, context) => {
    const service = stores.services.get(key);
    const pods = service === undefined ? [] : podsOf(key, stores.pods);
    modelInfo.observe(key, service === undefined ? '' : modelNameOf(service), pods);
    activity.observe(key, pods);
    if (service === undefined) gateway?.listeners.forget(key);
    if (service === undefined) {
      pace.forget(key);
      namesTaken.delete(key);
    }
    // Its children go with it, by their owner references.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return {};
    const { namespace = '' } = service.metadata;
    const pauseMs = lostRights.waitMs(namespace);
    if (pauseMs > 0) return { requeueAfterMs: pauseMs };
    try {
      return await reconcile(key, service, context);
    } catch (error) {
      if (isForbidden(error) && !isNamespaceTerminating(error)) {
        const level = lostRights.note(namespace) ? 'warn' : 'debug';
        context.log[level]({ err: error }, 'Had no rights in a namespace, trying again later');
        return { requeueAfterMs: lostRights.waitMs(namespace) };
      }
      if (!isNamespaceTerminating(error)) throw error;
      // It goes with its namespace, and nothing can be made there any more.
      context.log.debug({ err: error }, 'Left a ModelService alone whose namespace is being deleted');
      return {};
    }
  };
}

function retryMsOf(problems: readonly ChildProblem[]): number {
  return problems.some(({ reason }) => reason === 'NameTaken') ? NAME_TAKEN_RETRY_MS : REFUSAL_RETRY_MS;
}

function foreignFieldsIn({ children }: Plan, deployment: Deployment): readonly string[] | undefined {
  const intent = children.find(({ type }) => type === DEPLOYMENT)?.intent;
  return intent && foreignFieldsOf(intent, deployment);
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
