import type { ListOptions } from '../kube/api.ts';
import {
  DEPLOYMENT,
  ENDPOINT_SLICE,
  HORIZONTAL_POD_AUTOSCALER,
  POD_DISRUPTION_BUDGET,
  SCALED_OBJECT,
  SERVICE,
} from '../kube/resources.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { controllerKeyOf, keyOf, keysByLabel, refOfKey } from '../runtime/object-key.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { MANAGED_BY, NAME_LABEL, SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from './conventions.ts';
import {
  type Deployment,
  type EndpointSlice,
  type HorizontalPodAutoscaler,
  isPodReady,
  type Pod,
  type ScaledObject,
} from './live-objects.ts';
import type { ModelInfo } from './model-info.ts';
import { newestFirst } from './newest-first.ts';
import type { ActivityReading, Child, Observed, ObservedGateway } from './observed.ts';
import { outsideAutoscalerOf } from './outside-autoscaler.ts';
import { isOurs } from './ownership.ts';
import type { Scaler } from './plan/autoscaler.ts';
import { gatewaySliceName } from './plan/gateway-slice.ts';
import { podDisruptionBudgetOf } from './plan/pod-disruption-budget.ts';
import { hasEndpoints, mayGoToZero } from './plan/scale-to-zero.ts';
import { kedaAutoscalerName } from './plan/scaled-object.ts';
import type { ModelService } from './resource.ts';

/** The name of the pods' index by `namespace/name` of their ModelService. */
export const BY_MODEL_SERVICE = 'modelService';

/** The stores hold only what carries our labels, but for autoscalers; see `child` for what they therefore cannot show. */
export interface Stores {
  readonly services: StoreReader<ModelService>;
  readonly deployments: StoreReader<Deployment>;
  readonly kubeServices: StoreReader<KubeObject>;
  readonly autoscalers: StoreReader<HorizontalPodAutoscaler>;
  readonly budgets: StoreReader<KubeObject>;
  readonly slices: StoreReader<EndpointSlice>;
  /** Empty where KEDA is not installed. */
  readonly scaledObjects: StoreReader<ScaledObject>;
  readonly pods: StoreReader<Pod>;
}

/** The live objects of a type that are selected by their fields or labels. */
export type ListLive = (type: ResourceType, selected: ListOptions) => Promise<readonly KubeObject[]>;
/** The live object of that name; undefined where there is none. */
type ReadLive = (type: ResourceType, key: string) => Promise<KubeObject | undefined>;

/** What is known beside the stores. */
export interface Known {
  readonly modelInfo: ReadonlyMap<string, ModelInfo>;
  readonly activity: ReadonlyMap<string, ActivityReading>;
  readonly gateway: ObservedGateway | undefined;
  readonly kedaServed: boolean | undefined;
  readonly now: number;
}

/**
 * What is there for `service`.
 *
 * @param looks asks the API server for the children that no store holds: one of those names is taken
 */
export async function gather(
  service: ModelService,
  stores: Stores,
  known: Known,
  scaler: Scaler,
  listLive: ListLive,
  looks: boolean,
): Promise<Observed> {
  const key = keyOf(service);
  const readLive: ReadLive = async (type, childKey) => {
    if (!looks) return undefined;
    const { name, namespace } = refOfKey(childKey);
    return (await listLive(type, { namespace, fieldSelector: `metadata.name=${name}` }))[0];
  };
  const sliceKey = `${service.metadata.namespace ?? ''}/${gatewaySliceName(service.metadata.name)}`;
  const scales = service.spec.scaling.maxReplicas !== undefined;
  const wantsStock = scales && scaler.kind === 'stock';
  const wantsKeda = scales && scaler.kind === 'keda' && known.kedaServed === true;
  const wantsSlice = mayGoToZero(service) && known.gateway !== undefined;
  const wantsBudget = podDisruptionBudgetOf(service) !== undefined;
  const [deployment, kubeService, autoscaler, scaledObject, budget, slice] = await Promise.all([
    child(service, DEPLOYMENT, key, stores.deployments, readLive),
    child(service, SERVICE, key, stores.kubeServices, readLive),
    child(service, HORIZONTAL_POD_AUTOSCALER, key, stores.autoscalers, wantsStock ? readLive : notRead),
    child(service, SCALED_OBJECT, key, stores.scaledObjects, wantsKeda ? readLive : notRead),
    child(service, POD_DISRUPTION_BUDGET, key, stores.budgets, wantsBudget ? readLive : notRead),
    child(service, ENDPOINT_SLICE, sliceKey, stores.slices, wantsSlice ? readLive : notRead),
  ]);
  const owned = deployment.state === 'owned' ? deployment.object : undefined;
  const pods = newestFirst(podsOf(key, stores.pods), owned);
  const inPath = slice.state === 'owned' && hasEndpoints(slice.object) && pods.some(isPodReady);
  return {
    deployment,
    service: kubeService,
    autoscaler,
    scaledObject,
    budget,
    outsideAutoscaler: outsideAutoscalerOf(service, stores),
    kedaAutoscaler: kedaAutoscalerOf(key, stores),
    slice,
    otherSlices: wantsSlice ? stores.slices.list().filter((other) => keyOf(other) !== sliceKey) : [],
    reachable: inPath ? await leadsToPods(service, listLive) : undefined,
    pods,
    ...known,
  };
}

/** KEDA's own goes by its ScaledObject, which has the service's name. */
function kedaAutoscalerOf(key: string, { autoscalers }: Stores): HorizontalPodAutoscaler | undefined {
  const found = autoscalers.get(kedaAutoscalerName(key));
  return found !== undefined && controllerKeyOf(found, SCALED_OBJECT) === key ? found : undefined;
}

/** The pods of the ModelService `key`. */
export function podsOf(key: string, pods: StoreReader<Pod>): readonly Pod[] {
  return pods.byIndex(BY_MODEL_SERVICE, key);
}

/** The values of the pods' index. */
export function modelServiceOfPod(pod: Pod): readonly string[] {
  return keysByLabel(pod, NAME_LABEL);
}

async function child<T extends KubeObject>(
  service: ModelService,
  type: ResourceType,
  key: string,
  store: StoreReader<T>,
  readLive: ReadLive,
): Promise<Child<T>> {
  const stored = store.get(key);
  if (stored !== undefined) {
    return isOurs(service, stored) ? { state: 'owned', object: stored } : { state: 'foreign', object: stored };
  }
  // An object without our labels is in no store.
  const live = await readLive(type, key);
  if (live === undefined) return { state: 'absent' };
  return isOurs(service, live) ? { state: 'owned', object: live as T } : { state: 'foreign', object: live };
}

/** Whether the slices of Kubernetes' own controller name a pod: all proxies see them in the order of their writes. */
async function leadsToPods({ metadata: { namespace, name } }: ModelService, listLive: ListLive): Promise<boolean> {
  const slices = await listLive(ENDPOINT_SLICE, { namespace, labelSelector: `${SERVICE_NAME_LABEL}=${name}` });
  return slices
    .filter(({ metadata }) => metadata.labels?.[SLICE_MANAGED_BY_LABEL] !== MANAGED_BY)
    .flatMap((slice) => (slice as EndpointSlice).endpoints ?? [])
    .some(({ conditions }) => conditions?.ready !== false);
}

async function notRead(): Promise<undefined> {
  return undefined;
}
