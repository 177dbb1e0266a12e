import type { KubeObject } from '../kube/types.ts';
import type { IpAddress } from '../runtime/ready-address.ts';
import type { ModelInfo } from './model-info.ts';

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

/** By which KEDA scales. */
export interface ScaledObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
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

/** A pod of the gateway, as the store keeps it. */
export interface GatewayPod extends KubeObject {
  /** Where it says what it listens for; undefined while it is not ready. */
  readonly health: IpAddress | undefined;
}

export interface ObservedGateway {
  /** The pods that are ready. */
  readonly pods: readonly GatewayPod[];
  /** By the pods' uid: the port on which each listens for this service; 'No': it does not; absent: not asked yet. */
  readonly listeners: ReadonlyMap<string, number | 'No'>;
}

/** What a pod said when it was asked for its activity. */
export interface ActivityReading {
  /** When it was asked, in milliseconds since the epoch. */
  readonly readAt: number;
  /** Undefined: it did not answer. */
  readonly activity: PodActivity | undefined;
}

export interface PodActivity {
  readonly inFlight: number;
  /** Milliseconds since the epoch; undefined before the first request. */
  readonly lastRequestAt: number | undefined;
  /** Seconds that each phase of loading the model took. */
  readonly loadSeconds: ReadonlyMap<string, number>;
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
  readonly scaledObject: Child<ScaledObject>;
  /** What KEDA made of our ScaledObject. */
  readonly kedaAutoscaler: HorizontalPodAutoscaler | undefined;
  /** Whether a ScaledObject can be made; undefined: nobody looks. */
  readonly kedaServed: boolean | undefined;
  readonly slice: Child<EndpointSlice>;
  /** The slices of the other services, for their ports. */
  readonly otherSlices: readonly EndpointSlice[];
  /** Undefined: this operator has no gateway. */
  readonly gateway: ObservedGateway | undefined;
  /**
   * Whether the Service leads to a pod of its own: Kubernetes lists one that is ready, which may be a moment after the
   * pod says so. Undefined: not looked at, because the gateway is not in the path or no pod is ready.
   */
  readonly reachable: boolean | undefined;
  /** The service's pods, newest first. */
  readonly pods: readonly Pod[];
  /** What the servers of ready pods said of themselves, by the pods' uid, as far as it is known. */
  readonly modelInfo: ReadonlyMap<string, ModelInfo>;
  /** What ready pods said of their activity, by the pods' uid, as far as they were asked. */
  readonly activity: ReadonlyMap<string, ActivityReading>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function isPodReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    (pod.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}
