import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { assembleGateway } from './assemble-gateway.ts';
import type { OperatorConfig } from './config.ts';
import {
  API_SERVICE,
  DEPLOYMENT,
  ENDPOINT_SLICE,
  HORIZONTAL_POD_AUTOSCALER,
  POD,
  POD_DISRUPTION_BUDGET,
  SCALED_OBJECT,
  SERVICE,
} from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import { conditionGauge } from './modelservice/condition-gauge.ts';
import {
  FIELD_MANAGER,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  REPLICAS_FIELD_MANAGER,
  SLICE_MANAGED_BY_LABEL,
} from './modelservice/conventions.ts';
import { BY_MODEL_SERVICE, modelServiceOfPod } from './modelservice/gather.ts';
import type {
  Deployment,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Pod,
  ScaledObject,
} from './modelservice/live-objects.ts';
import {
  type ApiService,
  isMetricsApi,
  KEDA_API,
  metricsApisOf,
  sayTheSame,
  trimApiService,
} from './modelservice/metrics-apis.ts';
import { fetchModelInfoOverHttp, ModelInfoReader } from './modelservice/model-info.ts';
import { SCALE_TARGET_INDEX, scaleTargets, trimAutoscaler } from './modelservice/outside-autoscaler.ts';
import { gatewayPortOf } from './modelservice/plan/gateway-port.ts';
import type { PlanOverrides } from './modelservice/plan/plan.ts';
import { fetchPodActivityOverHttp, PodActivityReader } from './modelservice/pod-activity.ts';
import { modelServiceReconciler } from './modelservice/reconcile.ts';
import { MODEL_SERVICE, type ModelService } from './modelservice/resource.ts';
import { trimPod } from './modelservice/trim-pod.ts';
import { Applier } from './runtime/applier.ts';
import { systemClock } from './runtime/clock.ts';
import { EventRecorder } from './runtime/event-recorder.ts';
import { controllerKeyOf, keyOf } from './runtime/object-key.ts';
import { programParts } from './runtime/program-parts.ts';
import type { Change } from './runtime/store.ts';
import { withoutStatus } from './runtime/without-status.ts';

/** The slices' index by the gateway's port. */
const BY_PORT = 'port';

/**
 * Runs the operator until `signal` aborts and everything under way has ended.
 *
 * @param overrides what this version decides by itself, decided otherwise
 */
export async function runOperator(
  config: OperatorConfig,
  log: Logger,
  signal: AbortSignal,
  overrides: PlanOverrides = {},
): Promise<void> {
  const parts = await programParts(config, log, 'modelservice-operator', config.leaderElection);
  const { api, manager, metrics } = parts;
  const applier = new Applier({ api, onResult: metrics.countApply, onWritten: manager.written });
  const labelSelector = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;
  const keepManagers = [FIELD_MANAGER, REPLICAS_FIELD_MANAGER];
  const services = manager.informer<ModelService>(MODEL_SERVICE, { keepManagers });
  const deployments = manager.informer<Deployment>(DEPLOYMENT, { labelSelector, keepManagers });
  const kubeServices = manager.informer<KubeObject>(SERVICE, { labelSelector, keepManagers });
  // Those of others too, for two autoscalers of one service must not work against one another.
  const everybodys = { keepManagers, indexes: SCALE_TARGET_INDEX, transform: trimAutoscaler };
  const autoscalers = manager.informer<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALER, everybodys);
  const pods = manager.informer<Pod>(POD, {
    labelSelector,
    indexes: { [BY_MODEL_SERVICE]: modelServiceOfPod },
    transform: trimPod,
  });

  const budgets = manager.informer<KubeObject>(POD_DISRUPTION_BUDGET, {
    labelSelector,
    keepManagers,
    transform: withoutStatus,
  });

  const { provider, apiService } = config.metrics;
  // With these two it is not ours to know where metrics come from, nor have we the right to look.
  const apiServices = ['none', 'shared'].includes(provider)
    ? undefined
    : manager.informer<ApiService>(API_SERVICE, { transform: trimApiService });
  const scaledObjects = manager.informer<ScaledObject>(SCALED_OBJECT, {
    ...everybodys,
    optional: { isServed: () => apiServices?.store.get(KEDA_API) !== undefined, mayBeForbidden: provider !== 'keda' },
  });

  const slices = manager.informer<EndpointSlice>(ENDPOINT_SLICE, {
    labelSelector: `${SLICE_MANAGED_BY_LABEL}=${MANAGED_BY}`,
    keepManagers,
    indexes: { [BY_PORT]: (slice) => [String(gatewayPortOf(slice))] },
  });
  const enqueue = (key: string): void => controller.enqueue(key);
  const gateway =
    config.gateway &&
    assembleGateway({
      config: config.gateway,
      parts,
      services,
      slices,
      enqueue,
      enqueueOwner: (after) => enqueueOwner({ after }),
      signal,
    });

  const activity = new PodActivityReader({
    fetchPodActivity: fetchPodActivityOverHttp,
    clock: systemClock,
    signal,
    onRead: enqueue,
  });
  const modelInfo = new ModelInfoReader({
    fetchModelInfo: fetchModelInfoOverHttp,
    clock: systemClock,
    signal,
    onInfo: enqueue,
  });
  const recorder = new EventRecorder({
    api,
    clock: systemClock,
    log,
    controller: 'modelservice.dev/operator',
    instance: hostname().slice(0, 128),
  });
  const reconcile = modelServiceReconciler({
    api,
    applier,
    stores: {
      services: services.store,
      deployments: deployments.store,
      kubeServices: kubeServices.store,
      autoscalers: autoscalers.store,
      budgets: budgets.store,
      slices: slices.store,
      scaledObjects: scaledObjects.store,
      pods: pods.store,
    },
    modelInfo,
    activity,
    gateway,
    config: { images: config.images, scaler: config.metrics.scaler, ...overrides },
    metrics: () => ({ provider, apis: apiServices && metricsApisOf(apiServices.store, apiService) }),
    recordEvent: recorder.record,
    clock: systemClock,
  });
  metrics.addScraped(conditionGauge(services.store, () => manager.isWorking));
  const controller = manager.controller('modelservice', reconcile, {
    workers: config.workers,
    initialKeys: () => services.store.list().map(keyOf),
  });

  function enqueueOwner({ before, after }: Pick<Change<KubeObject>, 'before' | 'after'>, owner = MODEL_SERVICE): void {
    for (const object of [before, after]) {
      const key = object === undefined ? undefined : controllerKeyOf(object, owner);
      if (key !== undefined) controller.enqueue(key);
    }
  }
  /** What an autoscaler begins or ceases to scale; its status is its owner's. */
  function enqueueScaled({ before, after }: Change<HorizontalPodAutoscaler | ScaledObject>): void {
    if (JSON.stringify(before?.spec?.scaleTargetRef) === JSON.stringify(after?.spec?.scaleTargetRef)) return;
    for (const object of [before, after]) {
      for (const key of object === undefined ? [] : scaleTargets(object)) controller.enqueue(key);
    }
  }
  services.onChange(({ key }) => controller.enqueue(key));
  deployments.onChange(enqueueOwner);
  kubeServices.onChange(enqueueOwner);
  budgets.onChange(enqueueOwner);
  scaledObjects.onChange((change) => {
    enqueueOwner(change);
    enqueueScaled(change);
  });
  autoscalers.onChange((change) => {
    enqueueOwner(change);
    enqueueScaled(change);
    // KEDA's belong to the ScaledObject, which has the service's name.
    enqueueOwner(change, SCALED_OBJECT);
  });
  apiServices?.onChange(({ key, before, after }) => {
    if (!isMetricsApi(key) || sayTheSame(before, after)) return;
    if (key === KEDA_API) scaledObjects.lookAgain();
    for (const service of services.store.list()) {
      if (service.spec.scaling.maxReplicas !== undefined) controller.enqueue(keyOf(service));
    }
  });
  slices.onChange((change) => {
    enqueueOwner(change);
    // Two that chose one port at the same moment: each has to see the other.
    const port = change.after === undefined ? undefined : gatewayPortOf(change.after);
    for (const after of port === undefined ? [] : slices.store.byIndex(BY_PORT, String(port))) {
      enqueueOwner({ after });
    }
  });
  pods.onChange(({ before, after }) => {
    for (const pod of [before, after]) {
      for (const key of pod === undefined ? [] : modelServiceOfPod(pod)) controller.enqueue(key);
    }
  });

  // It outlives the queues that drain, and ends with the connections that it writes over.
  const stopRecorder = new AbortController();
  const recording = recorder.run(stopRecorder.signal);
  try {
    await manager.run(signal);
  } finally {
    stopRecorder.abort();
    await recording;
    await parts.close();
  }
}
