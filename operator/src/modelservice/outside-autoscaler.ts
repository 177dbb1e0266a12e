import { DEPLOYMENT, SCALED_OBJECT } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { controllerKeyOf, keyOf, keyOfRef } from '../runtime/object-key.ts';
import type { IndexFunction } from '../runtime/store.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from './conventions.ts';
import type { HorizontalPodAutoscaler, ScaledObject, ScaleTargetRef } from './live-objects.ts';
import { isOurs } from './ownership.ts';
import { kedaAutoscalerName } from './plan/scaled-object.ts';
import { MODEL_SERVICE, type ModelService } from './resource.ts';

/** Somebody else's autoscaler that sets the size of a service. */
export interface OutsideAutoscaler {
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject';
  readonly name: string;
  /** The Deployment's `spec.replicas`, or the ModelService's `spec.scaling.minReplicas`, each by its /scale. */
  readonly target: 'Deployment' | 'ModelService';
}

type Scaling = KubeObject & { readonly spec?: { readonly scaleTargetRef?: ScaleTargetRef } };

const BY_SCALE_TARGET = 'scaleTarget';

/** The index that stores of autoscalers need: `namespace/name` of the ModelService that is scaled, or its Deployment. */
export const SCALE_TARGET_INDEX: Readonly<Record<string, IndexFunction<Scaling>>> = { [BY_SCALE_TARGET]: scaleTargets };

export interface AutoscalerStores {
  readonly autoscalers: StoreReader<HorizontalPodAutoscaler>;
  readonly scaledObjects: StoreReader<ScaledObject>;
}

/** Keys of the ModelServices whose size the object sets, if there are such: none or one. */
export function scaleTargets(object: Scaling): readonly string[] {
  const name = targetOf(object) === undefined ? undefined : object.spec?.scaleTargetRef?.name;
  return name === undefined ? [] : [keyOfRef({ ...object.metadata, name })];
}

/** The first of those there are; of two, the one that sets the Deployment's size. */
export function outsideAutoscalerOf(service: ModelService, stores: AutoscalerStores): OutsideAutoscaler | undefined {
  const key = keyOf(service);
  const found = [
    ...stores.scaledObjects.byIndex(BY_SCALE_TARGET, key),
    ...stores.autoscalers.byIndex(BY_SCALE_TARGET, key),
  ];
  const outside = found.flatMap((object): readonly OutsideAutoscaler[] => {
    const target = targetOf(object);
    return target === undefined || isOwn(service, object) ? [] : [{ ...namesOf(object), target }];
  });
  return outside.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))[0];
}

/** As a store keeps it: of one that is not ours, what it scales and whose it is. */
export function trimAutoscaler<T extends Scaling>(object: T): T {
  const { labels, ownerReferences } = object.metadata;
  if (labels?.[MANAGED_BY_LABEL] === MANAGED_BY) return object;
  const ref = object.spec?.scaleTargetRef;
  const trimmed: Scaling = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...trimMetadata(object.metadata), ...(ownerReferences === undefined ? {} : { ownerReferences }) },
    spec: ref === undefined ? {} : { scaleTargetRef: ref },
  };
  return trimmed as T;
}

function targetOf({ spec }: Scaling): OutsideAutoscaler['target'] | undefined {
  // KEDA's default is a Deployment.
  const { apiVersion = 'apps/v1', kind = DEPLOYMENT.kind } = spec?.scaleTargetRef ?? {};
  const [group] = apiVersion.split('/');
  if (kind === DEPLOYMENT.kind && group === DEPLOYMENT.group) return 'Deployment';
  return kind === MODEL_SERVICE.kind && group === MODEL_SERVICE.group ? 'ModelService' : undefined;
}

function isOwn(service: ModelService, object: KubeObject): boolean {
  const { name } = service.metadata;
  if (object.metadata.name === name && isOurs(service, object)) return true;
  // What KEDA makes of our ScaledObject, and leaves for a moment after that one.
  return object.metadata.name === kedaAutoscalerName(name) && controllerKeyOf(object, SCALED_OBJECT) === keyOf(service);
}

/** KEDA's autoscaler goes by the ScaledObject, which is what its owner knows. */
function namesOf(object: KubeObject): Pick<OutsideAutoscaler, 'kind' | 'name'> {
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (object.kind === SCALED_OBJECT.kind) return { kind: 'ScaledObject', name: object.metadata.name };
  return owner?.kind === SCALED_OBJECT.kind
    ? { kind: 'ScaledObject', name: owner.name }
    : { kind: 'HorizontalPodAutoscaler', name: object.metadata.name };
}

function orderOf({ target, kind, name }: OutsideAutoscaler): string {
  return `${target}/${kind}/${name}`;
}
