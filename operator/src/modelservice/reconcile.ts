import type { KubeApi } from '../kube/api.ts';
import type { Applier } from '../runtime/applier.ts';
import type { Clock } from '../runtime/clock.ts';
import { refOfKey } from '../runtime/object-key.ts';
import type { Reconcile } from '../runtime/reconcile.ts';
import { act } from './act.ts';
import { FIELD_MANAGER } from './conventions.ts';
import { gather, podsOf, type Stores } from './gather.ts';
import type { ModelInfoReader } from './model-info.ts';
import { type PlanConfig, plan } from './plan/plan.ts';
import { MODEL_SERVICE, modelNameOf } from './resource.ts';
import { statusIntent, statusOf } from './status/status.ts';

export interface ReconcilerOptions {
  readonly api: KubeApi;
  readonly applier: Applier;
  readonly stores: Stores;
  readonly modelInfo: ModelInfoReader;
  readonly config: PlanConfig;
  readonly clock: Clock;
}

/** What a problem that raises no event of ours (a foreign child, a refusal) waits for its next look. */
const PROBLEM_RETRY_MS = 30_000;

/** Gather, plan, act, tell. */
export function modelServiceReconciler(options: ReconcilerOptions): Reconcile {
  const { api, applier, stores, modelInfo, config, clock } = options;
  return async (key, context) => {
    const { signal } = context;
    const service = stores.services.get(key);
    modelInfo.observe(key, service === undefined ? '' : modelNameOf(service), service ? podsOf(key, stores.pods) : []);
    // Its children go with it, by their owner references.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return {};

    const observed = await gather(service, stores, modelInfo.known, async (type, childKey) => {
      const { name, namespace } = refOfKey(childKey);
      const page = await api.list(type, { namespace, fieldSelector: `metadata.name=${name}` }, signal);
      return page.items[0];
    });
    const planned = plan(service, observed, config);
    const { deployment, deploymentChanged, refusals } = await act(planned, api, applier, context);
    const problems = [...planned.problems, ...refusals];
    const { status, requeueAfterMs } = statusOf(
      { service, deployment, deploymentChanged, pods: observed.pods, problems, now: clock.now() },
      observed.modelInfo,
    );
    await applier.apply(
      MODEL_SERVICE,
      statusIntent(service, status),
      service,
      { fieldManager: FIELD_MANAGER, subresource: 'status' },
      signal,
    );
    return { requeueAfterMs: problems.length > 0 ? PROBLEM_RETRY_MS : requeueAfterMs };
  };
}
