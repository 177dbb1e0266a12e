import type { GatewayConfig } from './config.ts';
import { DEPLOYMENT, POD } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import { REPLICAS_FIELD_MANAGER } from './modelservice/conventions.ts';
import { fetchListenerOverHttp, GatewayListeners } from './modelservice/gateway-listeners.ts';
import { type Gateway, toGatewayPod } from './modelservice/gateway-pods.ts';
import { gatewaySizeReconciler } from './modelservice/gateway-size.ts';
import type { Deployment, EndpointSlice } from './modelservice/live-objects.ts';
import type { GatewayPod } from './modelservice/observed.ts';
import type { ModelService } from './modelservice/resource.ts';
import { Applier } from './runtime/applier.ts';
import { systemClock } from './runtime/clock.ts';
import type { Informer } from './runtime/informer.ts';
import type { ProgramParts } from './runtime/program-parts.ts';
import type { CallablePod } from './runtime/ready-address.ts';

export interface GatewayWiring {
  readonly config: GatewayConfig;
  readonly parts: ProgramParts;
  readonly services: Informer<ModelService>;
  readonly slices: Informer<EndpointSlice>;
  /** Has the service `key` looked at. */
  readonly enqueue: (key: string) => void;
  /** Has the service of that slice looked at. */
  readonly enqueueOwner: (slice: EndpointSlice) => void;
  readonly signal: AbortSignal;
}

/** Watches the gateway's pods, and keeps the size of its Deployment. */
export function assembleGateway(wiring: GatewayWiring): Gateway {
  const { config, parts, services, slices, enqueue, enqueueOwner, signal } = wiring;
  const { api, manager, metrics } = parts;
  const { namespace, name, selector, replicas } = config;
  const namespaces = [namespace];
  const pods = manager.informer<GatewayPod>(POD, {
    namespaces,
    labelSelector: selector,
    transform: (pod) => toGatewayPod(pod as KubeObject as CallablePod),
  });
  const deployments = manager.informer<Deployment>(DEPLOYMENT, {
    namespaces,
    fieldSelector: `metadata.name=${name}`,
    keepManagers: [REPLICAS_FIELD_MANAGER],
  });
  const reconcileSize = gatewaySizeReconciler({
    // Its answers are no children: they must not get into their stores.
    applier: new Applier({ api, onResult: metrics.countApply }),
    deployments: deployments.store,
    services: services.store,
    slices: slices.store,
    replicas,
  });
  const key = `${namespace}/${name}`;
  const size = manager.controller('gateway-size', reconcileSize, { workers: 1, initialKeys: () => [key] });
  const resize = (): void => size.enqueue(key);
  deployments.onChange(resize);
  services.onChange(resize);
  slices.onChange(resize);
  pods.onChange(() => {
    for (const slice of slices.store.list()) enqueueOwner(slice);
  });
  return {
    pods: pods.store,
    listeners: new GatewayListeners({
      fetchListener: fetchListenerOverHttp,
      clock: systemClock,
      signal,
      onAnswer: enqueue,
    }),
  };
}
