import type { KubeObject } from '../kube/types.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import type { StatusCondition } from './live-objects.ts';

/** Who serves a version of an API group; one for each, also for what the API server and CustomResourceDefinitions serve. */
export interface ApiService extends KubeObject {
  readonly spec: {
    readonly group?: string;
    readonly version?: string;
    /** Absent where the API server serves it itself. */
    readonly service?: { readonly namespace?: string; readonly name?: string };
  };
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
}

/** An API that autoscalers read. */
export type ApiState = { readonly state: 'served' } | { readonly state: 'missing' } | UnavailableApi;

/** It is registered, as the APIService of that name, and does not answer. */
export interface UnavailableApi {
  readonly state: 'unavailable';
  readonly apiService: string;
  readonly why: string;
}

/** Somebody else's part of custom.metrics.k8s.io. */
export interface ForeignApi {
  readonly apiService: string;
  /** `NAMESPACE/NAME`. */
  readonly service: string;
}

export interface MetricsApis {
  readonly customMetrics: ApiState;
  /** Who serves a version of custom.metrics.k8s.io and is not the builtin metrics API; the first by name. */
  readonly foreign: ForeignApi | undefined;
  readonly resourceMetrics: ApiState;
  readonly keda: ApiState;
}

/** Newest first: autoscalers ask the newest version that is registered. */
const CUSTOM_METRICS = ['v1beta2.custom.metrics.k8s.io', 'v1beta1.custom.metrics.k8s.io'];
const RESOURCE_METRICS = ['v1beta1.metrics.k8s.io'];
/** A CustomResourceDefinition has one, too. */
export const KEDA_API = 'v1alpha1.keda.sh';
const READ: ReadonlySet<string> = new Set([...CUSTOM_METRICS, ...RESOURCE_METRICS, KEDA_API]);

/** Whether anything is decided by the APIService of that name. */
export function isMetricsApi(name: string): boolean {
  return READ.has(name);
}

/** @param ours `NAMESPACE/NAME` of the builtin metrics API's Service; undefined: whoever serves is taken for it */
export function metricsApisOf(apiServices: StoreReader<ApiService>, ours: string | undefined): MetricsApis {
  const registered = (names: readonly string[]) =>
    names.map((name) => apiServices.get(name)).filter((found) => found !== undefined);
  const custom = registered(CUSTOM_METRICS);
  const foreign = ours === undefined ? [] : custom.filter((apiService) => serviceOf(apiService) !== ours);
  return {
    customMetrics: stateOf(custom),
    foreign: foreign.map((found) => ({ apiService: found.metadata.name, service: serviceOf(found) }))[0],
    resourceMetrics: stateOf(registered(RESOURCE_METRICS)),
    keda: stateOf(registered([KEDA_API])),
  };
}

/** An APIService as the store keeps it: the fields that we read. */
export function trimApiService({ apiVersion, kind, metadata, spec, status }: ApiService): ApiService {
  const { service } = spec;
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata),
    spec: service === undefined ? {} : { service },
    ...(available === undefined ? {} : { status: { conditions: [available] } }),
  };
}

/** Whether the two say the same to us; a change of the time at which a condition was looked at says nothing. */
export function sayTheSame(one: ApiService | undefined, another: ApiService | undefined): boolean {
  const said = (apiService: ApiService | undefined): string | undefined =>
    apiService && JSON.stringify([serviceOf(apiService), stateOf([apiService])]);
  return said(one) === said(another);
}

function stateOf([newest]: readonly ApiService[]): ApiState {
  if (newest === undefined) return { state: 'missing' };
  const available = newest.status?.conditions?.find(({ type }) => type === 'Available');
  if (available?.status !== 'False') return { state: 'served' };
  const { reason = '', message = '' } = available;
  // A failed check tells its addresses and the error of the moment, which would change the condition all the time.
  const why = reason === 'FailedDiscoveryCheck' || message === '' ? reason : message;
  return { state: 'unavailable', apiService: newest.metadata.name, why };
}

function serviceOf({ spec: { service } }: ApiService): string {
  return `${service?.namespace ?? ''}/${service?.name ?? ''}`;
}
