import type { Logger } from 'pino';
import type { OperatorConfig } from './config.ts';
import { API_SERVICE, DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, POD, SERVICE } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import { FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL, REPLICAS_FIELD_MANAGER } from './modelservice/conventions.ts';
import { BY_MODEL_SERVICE, modelServiceOfPod } from './modelservice/gather.ts';
import {
  type ApiService,
  isMetricsApi,
  metricsApisOf,
  sayTheSame,
  trimApiService,
} from './modelservice/metrics-apis.ts';
import { fetchModelInfoOverHttp, ModelInfoReader } from './modelservice/model-info.ts';
import type { Deployment, HorizontalPodAutoscaler, Pod } from './modelservice/observed.ts';
import { modelServiceReconciler } from './modelservice/reconcile.ts';
import { MODEL_SERVICE, type ModelService } from './modelservice/resource.ts';
import { trimPod } from './modelservice/trim-pod.ts';
import { Applier } from './runtime/applier.ts';
import { systemClock } from './runtime/clock.ts';
import { controllerKeyOf, keyOf } from './runtime/object-key.ts';
import { programParts } from './runtime/program-parts.ts';
import type { Change } from './runtime/store.ts';

/** Runs the operator until `signal` aborts and everything under way has ended. */
export async function runOperator(config: OperatorConfig, log: Logger, signal: AbortSignal): Promise<void> {
  const { api, manager, metrics } = programParts(config, log, 'modelservice-operator');
  const applier = new Applier({ api, onResult: metrics.countApply, onWritten: manager.written });
  const labelSelector = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;
  const keepManagers = [FIELD_MANAGER, REPLICAS_FIELD_MANAGER];
  const services = manager.informer<ModelService>(MODEL_SERVICE, { keepManagers });
  const deployments = manager.informer<Deployment>(DEPLOYMENT, { labelSelector, keepManagers });
  const kubeServices = manager.informer<KubeObject>(SERVICE, { labelSelector, keepManagers });
  const autoscalers = manager.informer<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALER, {
    labelSelector,
    keepManagers,
  });
  const pods = manager.informer<Pod>(POD, {
    labelSelector,
    indexes: { [BY_MODEL_SERVICE]: modelServiceOfPod },
    transform: trimPod,
  });

  const { provider, apiService } = config.metrics;
  // With provider none nothing of ours claims to know where metrics come from.
  const apiServices =
    provider === 'none' ? undefined : manager.informer<ApiService>(API_SERVICE, { transform: trimApiService });

  const modelInfo = new ModelInfoReader({
    fetchModelInfo: fetchModelInfoOverHttp,
    clock: systemClock,
    signal,
    onInfo: (key) => controller.enqueue(key),
  });
  const reconcile = modelServiceReconciler({
    api,
    applier,
    stores: {
      services: services.store,
      deployments: deployments.store,
      kubeServices: kubeServices.store,
      autoscalers: autoscalers.store,
      pods: pods.store,
    },
    modelInfo,
    config: { images: config.images },
    metrics: () => ({ provider, apis: apiServices && metricsApisOf(apiServices.store, apiService) }),
    clock: systemClock,
  });
  const controller = manager.controller('modelservice', reconcile, { workers: config.workers });

  function enqueueOwner({ before, after }: Change<KubeObject>): void {
    for (const object of [before, after]) {
      const key = object === undefined ? undefined : controllerKeyOf(object, MODEL_SERVICE);
      if (key !== undefined) controller.enqueue(key);
    }
  }
  services.onChange(({ key }) => controller.enqueue(key));
  deployments.onChange(enqueueOwner);
  kubeServices.onChange(enqueueOwner);
  autoscalers.onChange(enqueueOwner);
  apiServices?.onChange(({ key, before, after }) => {
    if (!isMetricsApi(key) || sayTheSame(before, after)) return;
    for (const service of services.store.list()) {
      if (service.spec.scaling.maxReplicas !== undefined) controller.enqueue(keyOf(service));
    }
  });
  pods.onChange(({ before, after }) => {
    for (const pod of [before, after]) {
      for (const key of pod === undefined ? [] : modelServiceOfPod(pod)) controller.enqueue(key);
    }
  });

  try {
    await manager.run(signal);
  } finally {
    await api.close();
  }
}
