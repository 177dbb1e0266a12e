import type { KubeObject } from '../kube/types.ts';
import type { ModelInfo } from './model-info.ts';

/** The fields of other people's objects that we read. */

export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Deployment extends KubeObject {
  readonly spec: {
    /** Absent never: the API server's default is 1. */
    readonly replicas?: number;
    readonly progressDeadlineSeconds?: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly image?: string }[] };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
}

export interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec?: { readonly minReplicas?: number; readonly maxReplicas?: number };
  readonly status?: {
    /** RFC 3339; when the size was changed last. */
    readonly lastScaleTime?: string;
    /** The size as of this look, before the change that it led to. */
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode: number };
}

export interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image?: string }[] };
  readonly status?: PodStatus;
}

export interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: readonly StatusCondition[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

/** A child in the store, or found live under the same name. */
export type Child<T extends KubeObject = KubeObject> =
  | { readonly state: 'absent' }
  /** Controlled by this ModelService, or left behind without a controller and labelled as its child. */
  | { readonly state: 'owned'; readonly object: T }
  /** Somebody else's: never written, never deleted. */
  | { readonly state: 'foreign'; readonly object: KubeObject };

export interface Observed {
  readonly deployment: Child<Deployment>;
  readonly service: Child;
  readonly autoscaler: Child<HorizontalPodAutoscaler>;
  /** The service's pods, newest first. */
  readonly pods: readonly Pod[];
  /** What the servers of ready pods said of themselves, by the pods' uid, as far as it is known. */
  readonly modelInfo: ReadonlyMap<string, ModelInfo>;
}

export function isPodReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    (pod.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}
