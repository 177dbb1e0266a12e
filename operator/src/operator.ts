import type { Logger } from 'pino';
import type { OperatorConfig } from './config.ts';
import { DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, POD, SERVICE } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import { FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL, REPLICAS_FIELD_MANAGER } from './modelservice/conventions.ts';
import { BY_MODEL_SERVICE, modelServiceOfPod } from './modelservice/gather.ts';
import { fetchModelInfoOverHttp, ModelInfoReader } from './modelservice/model-info.ts';
import type { Deployment, HorizontalPodAutoscaler, Pod } from './modelservice/observed.ts';
import { modelServiceReconciler } from './modelservice/reconcile.ts';
import { MODEL_SERVICE, type ModelService } from './modelservice/resource.ts';
import { trimPod } from './modelservice/trim-pod.ts';
import { Applier } from './runtime/applier.ts';
import { systemClock } from './runtime/clock.ts';
import { controllerKeyOf } from './runtime/object-key.ts';
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
