import type { KubeObject } from '../kube/types.ts';

/** The fields of other people's objects that we read. */

export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  /** Of a pod's and a ModelService's conditions. */
  readonly lastTransitionTime?: string;
}

export interface Deployment extends KubeObject {
  readonly spec: {
    /** Absent never: the API server's default is 1. */
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly progressDeadlineSeconds?: number;
    readonly strategy?: DeploymentStrategy;
    readonly template: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
      readonly spec: PodTemplateSpec;
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

export interface PodTemplateSpec {
  readonly containers: readonly {
    readonly name: string;
    readonly image?: string;
    readonly resources?: { readonly claims?: readonly { readonly name: string }[] };
  }[];
  readonly resourceClaims?: readonly { readonly name: string }[];
}

export interface DeploymentStrategy {
  readonly type?: string;
  /** Numbers of pods, or shares such as 25%. */
  readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string };
}

export interface ScaleTargetRef {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
}

export interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec?: {
    readonly minReplicas?: number;
    readonly maxReplicas?: number;
    readonly scaleTargetRef?: ScaleTargetRef;
  };
  readonly status?: {
    /** RFC 3339; when the size was changed last. */
    readonly lastScaleTime?: string;
    /** The size as of this look, before the change that it led to. */
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
}

/** By which KEDA scales. */
export interface ScaledObject extends KubeObject {
  readonly spec?: { readonly scaleTargetRef?: ScaleTargetRef };
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  /** The startup probe has passed. */
  readonly started?: boolean | null;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly reason?: string;
    readonly message?: string;
    readonly exitCode: number;
    readonly startedAt?: string | null;
    readonly finishedAt?: string | null;
  };
}

export interface PodContainer {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

export interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly PodContainer[] };
  readonly status?: PodStatus;
}

export interface PodStatus {
  readonly phase?: string;
  /** Why the whole pod ended, such as Evicted. */
  readonly reason?: string;
  readonly message?: string;
  readonly podIP?: string;
  readonly conditions?: readonly StatusCondition[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

/** Where the gateway's pods hold requests for a service; without endpoints while the service is awake. */
export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly endpoints?: readonly SliceEndpoint[] | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  /** Absent means ready. */
  readonly conditions?: { readonly ready?: boolean };
  readonly targetRef?: { readonly uid?: string };
}

export function isPodReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    (pod.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}
