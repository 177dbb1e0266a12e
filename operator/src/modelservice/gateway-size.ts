import { DEPLOYMENT } from '../kube/resources.ts';
import type { Applier } from '../runtime/applier.ts';
import type { Reconcile } from '../runtime/reconcile.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { REPLICAS_FIELD_MANAGER } from './conventions.ts';
import type { Deployment, EndpointSlice } from './live-objects.ts';
import { mayGoToZero } from './plan/scale-to-zero.ts';
import type { ModelService } from './resource.ts';
import { sizeIntent } from './size-intent.ts';

export interface GatewaySizeOptions {
  readonly applier: Applier;
  readonly deployments: StoreReader<Deployment>;
  readonly services: StoreReader<ModelService>;
  readonly slices: StoreReader<EndpointSlice>;
  /** How many pods the gateway has while some service needs it. */
  readonly replicas: number;
}

/** Keeps the size of the gateway's Deployment, by its key: none while no service needs it. Nothing else of it is ours. */
export function gatewaySizeReconciler(options: GatewaySizeOptions): Reconcile {
  const { applier, deployments, services, slices } = options;
  return async (key, { signal, log }) => {
    const live = deployments.get(key);
    // An apply would make what is missing, and half a Deployment is refused.
    if (live === undefined) return {};
    // A slice outlives its feature until the last held request is answered.
    const needed = services.list().some(mayGoToZero) || slices.list().length > 0;
    const replicas = needed ? options.replicas : 0;
    const { difference } = await applier.apply(
      DEPLOYMENT,
      sizeIntent(live, { replicas }),
      live,
      { fieldManager: REPLICAS_FIELD_MANAGER },
      signal,
    );
    if (difference !== undefined) log.info({ replicas }, "Set the number of the gateway's pods");
    return {};
  };
}
