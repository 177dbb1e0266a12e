import type { KubeObject } from '../../../operator/src/kube/types.ts';
import { eventually } from '../../integration/support/eventually.ts';
import { RESOURCES } from '../../integration/support/resource-types.ts';
import { testApi } from '../../integration/support/test-run.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

/** The parts of a ModelService that the suites read. */
export interface ModelServiceObject extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly readyReplicas?: number;
    readonly url?: string;
    readonly scaling?: ScalingStatus;
    readonly models?: readonly { readonly name: string; readonly digest?: string; readonly engine?: string }[];
  };
}

export interface ScalingStatus {
  readonly state?: string;
  readonly lastDecision?: {
    readonly from?: number;
    readonly to: number;
    readonly reason?: string;
    readonly metric?: string;
  };
  readonly wakeRequestTime?: string;
  readonly lastColdStart?: {
    readonly requestTime: string;
    readonly readyTime?: string;
    readonly phases?: readonly { readonly name: string; readonly seconds: number }[];
  };
}

export interface PodObject extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

export function getModelService(ref: ServiceRef): Promise<ModelServiceObject> {
  return testApi().get<ModelServiceObject>(RESOURCES.modelServices, ref);
}

export function conditionOf({ status }: ModelServiceObject, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Pods of a ModelService, those that are being deleted included. */
export function podsOf({ namespace, name }: ServiceRef): Promise<readonly PodObject[]> {
  return testApi().list<PodObject>(RESOURCES.pods, { namespace, labelSelector: `modelservice.dev/name=${name}` });
}

export function hasCondition({ status }: PodObject, type: string): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** `http://CLUSTER-IP`: what the service's DNS name stands for. */
export async function clusterUrl(ref: ServiceRef): Promise<string> {
  const { spec } = await testApi().get(RESOURCES.services, ref);
  return `http://${spec?.clusterIP}`;
}

/** Waits until `service` is carried out as it is now written and answers. */
export async function untilServing(ref: ServiceRef): Promise<ModelServiceObject> {
  return await eventually(() => getModelService(ref), {
    because: `${ref.name} is rolled out and answers`,
    until: (service) =>
      conditionOf(service, 'Ready')?.reason === 'Serving' &&
      conditionOf(service, 'Reconciling')?.status === 'False' &&
      service.status?.observedGeneration === service.metadata.generation,
    deadlineMs: 120_000,
  });
}

/** Waits until no pod is left of those named; what they still had to answer is answered then. */
export async function untilGone(ref: ServiceRef, names: ReadonlySet<string>): Promise<void> {
  await eventually(() => podsOf(ref), {
    because: `the pods from before are gone`,
    until: (pods) => !pods.some(({ metadata }) => names.has(metadata.name)),
    deadlineMs: 120_000,
    intervalMs: 200,
  });
}
