import type { KubeObject } from '../kube/types.ts';
import type { IpAddress } from '../runtime/ready-address.ts';
import type { Deployment, EndpointSlice, HorizontalPodAutoscaler, Pod, ScaledObject } from './live-objects.ts';
import type { ModelInfo } from './model-info.ts';
import type { OutsideAutoscaler } from './outside-autoscaler.ts';

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
  /** Whoever else sets the size. */
  readonly outsideAutoscaler: OutsideAutoscaler | undefined;
  /** What KEDA made of our ScaledObject. */
  readonly kedaAutoscaler: HorizontalPodAutoscaler | undefined;
  /** Whether a ScaledObject can be made; undefined: nobody looks. */
  readonly kedaServed: boolean | undefined;
  /** The PodDisruptionBudget. */
  readonly budget: Child;
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
  /** The service's pods, in the order of newest-first.ts. */
  readonly pods: readonly Pod[];
  /** What the servers of ready pods said of themselves, by the pods' uid, as far as it is known. */
  readonly modelInfo: ReadonlyMap<string, ModelInfo>;
  /** What ready pods said of their activity, by the pods' uid, as far as they were asked. */
  readonly activity: ReadonlyMap<string, ActivityReading>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}
