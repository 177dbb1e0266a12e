// Generated from crds/modelservice.yaml by `npm run generate`. Change that file, not this one.

/**
 * One model, served over HTTP by pods that the operator keeps running behind a Service of the same name.
 */
export interface ModelService {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
  };
  readonly spec: ModelServiceSpec;
  readonly status: ModelServiceStatus;
}
/**
 * What to serve, and how.
 */
export interface ModelServiceSpec {
  readonly model: ModelSpec;
  readonly server: ServerSpec;
  readonly gpu?: GPUSpec;
  readonly scaling: ScalingSpec;
  readonly batching?: BatchingSpec;
  readonly rollout: RolloutSpec;
  readonly availability: AvailabilitySpec;
  readonly pod: PodSpec;
  /**
   * True stops all pods and keeps everything else; false again brings back the size that was wanted.
   */
  readonly suspend: boolean;
}
/**
 * The model to serve.
 */
export interface ModelSpec {
  /**
   * The name in URLs, as in /v2/models/NAME. Letters, digits, '.', '_' and '-', beginning and ending with a letter or a digit. Default: metadata.name.
   */
  readonly name?: string;
  /**
   * The version that the server reports, an integer in quotes; a service serves one version.
   */
  readonly version: string;
  /**
   * Where the model lies: a folder with a model.json, or the file itself. file:///path (a path in the server's image; the examples are there), https:// or http://, npm:package@1.2.3/path (an exact version), or configmap://name (a ConfigMap of this namespace whose keys are the model's files).
   */
  readonly uri: string;
  /**
   * What the model's content must hash to, as `modelservice digest URI` prints it: sha256: and 64 hex digits. Verified before the model is loaded. Default: not verified.
   */
  readonly digest?: string;
  /**
   * LayersModel or GraphModel, the two formats of TensorFlow.js. Auto looks into the model.json.
   */
  readonly format: 'Auto' | 'LayersModel' | 'GraphModel';
}
/**
 * The model server, one container in each pod.
 */
export interface ServerSpec {
  /**
   * The server's image. Default: the operator's, chosen by engine and GPU.
   */
  readonly image?: string;
  /**
   * When pods take over what a newer operator brings, its default image above all. OnSpecChange: with the next change of a field that pods are made from. Always: at once.
   */
  readonly updatePolicy: 'OnSpecChange' | 'Always';
  /**
   * What computes. TensorFlow (native, CPU or GPU), Wasm, JavaScript (slow, knows every operation). Auto takes TensorFlow where a GPU is asked for, else what suits the model in the image.
   */
  readonly engine: 'Auto' | 'TensorFlow' | 'Wasm' | 'JavaScript';
  readonly resources: ServerResources;
  /**
   * Environment variables of the server's container, after the operator's own.
   */
  readonly env?: readonly EnvVar[];
  /**
   * The least severe level that the server logs.
   */
  readonly logLevel: 'Debug' | 'Info' | 'Warning' | 'Error';
  /**
   * How long a pod may take to fetch, verify, load and warm up the model before it is started again: a duration such as 90s, 10m or 1h30m.
   */
  readonly startupTimeout: string;
}
/**
 * CPU, memory and other resources of the server's container, as in a pod; a fraction is written 500m or "0.5". The CPU limit, rounded up, is also the engine's number of threads.
 */
export interface ServerResources {
  readonly requests?: Quantities;
  readonly limits?: Quantities;
}
export interface Quantities {
  readonly [k: string]: number | string;
}
export interface EnvVar {
  readonly name: string;
  /**
   * The value; $(NAME) is replaced by an earlier variable's. Default empty.
   */
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: KeyReference;
    readonly secretKeyRef?: KeyReference;
    readonly fieldRef?: {
      readonly apiVersion?: string;
      readonly fieldPath: string;
    };
    readonly resourceFieldRef?: {
      readonly containerName?: string;
      readonly resource: string;
      readonly divisor?: number | string;
    };
  };
}
export interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}
/**
 * GPUs of each pod, by count or by resourceClaim, and a toleration of the taint that GPU nodes usually carry. A pod whose GPU is not usable fails instead of computing on the CPU. Default: none.
 */
export interface GPUSpec {
  /**
   * How many of the resource each pod gets, as limit and request.
   */
  readonly count?: number;
  /**
   * The resource as the node's device plugin names it, MIG and shared names included, for example nvidia.com/mig-3g.40gb.
   */
  readonly resourceName: string;
  /**
   * The name of the claim in spec.pod.resourceClaims by which each pod gets its GPUs, through dynamic resource allocation instead of a device plugin.
   */
  readonly resourceClaim?: string;
  /**
   * The GPU's product, as the node label nvidia.com/gpu.product has it, for example NVIDIA-A100-SXM4-80GB; see kubectl get nodes -L nvidia.com/gpu.product. Default: any.
   */
  readonly product?: string;
}
/**
 * How many pods.
 */
export interface ScalingSpec {
  /**
   * Without maxReplicas the fixed number of pods; with it the least, which may be 0 with idleAfter. `kubectl scale` sets it.
   */
  readonly minReplicas: number;
  /**
   * The most pods; with it a HorizontalPodAutoscaler chooses between minReplicas and this. Default: a fixed size.
   */
  readonly maxReplicas?: number;
  /**
   * After so long without a request all pods are stopped; the gateway holds the next request until a pod is ready. At least 10s; needs minReplicas 0 and maxReplicas. Default: one pod stays.
   */
  readonly idleAfter?: string;
  /**
   * What the autoscaler follows; of several, the one that asks for most pods. Default: InFlightRequests, with 2 for each pod, or 1.4 x spec.batching.maxBatchSize where there is batching: 70 % of one batch that runs and one that waits.
   */
  readonly metrics?: readonly ScalingMetric[];
  readonly behavior?: ScalingBehavior;
}
export interface ScalingMetric {
  /**
   * InFlightRequests are received and not yet answered, queued ones included; QueueDepth counts those of them that wait for the engine; RequestsPerSecond are received; all are means of 15 s. Cpu is the pods' mean CPU use as a share of their CPU request.
   */
  readonly type: 'InFlightRequests' | 'RequestsPerSecond' | 'QueueDepth' | 'Cpu';
  readonly target: ScalingTarget;
}
export interface ScalingTarget {
  /**
   * What to aim at for each pod, of all types but Cpu.
   */
  readonly averageValue?: number | string;
  /**
   * The share to aim at, in percent of the request; of Cpu.
   */
  readonly averageUtilization?: number;
}
/**
 * How fast the autoscaler may go up and down, as in autoscaling/v2. Default, for each direction: up by 2 pods or to twice as many a minute, whichever is more, for pods take time to load; down by half of the pods a minute, to the most that was wanted within 5 minutes.
 */
export interface ScalingBehavior {
  readonly scaleUp?: ScalingRules;
  readonly scaleDown?: ScalingRules;
}
export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number;
  readonly selectPolicy?: 'Max' | 'Min' | 'Disabled';
  readonly policies?: readonly ScalingPolicy[];
}
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}
/**
 * Requests that come at about the same time are joined and computed as one batch, where the model's inputs and outputs all leave the first dimension open and its rows do not depend on one another. A request that comes alone never waits for others. `batching: {}` takes the defaults. Default: requests are not joined, and 256 of them may wait.
 */
export interface BatchingSpec {
  /**
   * The most rows that are computed at once. A request with more is computed in parts.
   */
  readonly maxBatchSize: number;
  /**
   * The longest that a request waits for others while the engine is free, a duration such as 2ms; 0s joins only what came while the engine was busy. The server waits less, mostly not at all, as the rate of requests and the time of a batch suggest.
   */
  readonly maxDelay: string;
  /**
   * The most requests that wait for the engine; the next one is answered with 429 and a Retry-After.
   */
  readonly maxQueueSize: number;
}
/**
 * How pods are replaced when their manifest changes.
 */
export interface RolloutSpec {
  /**
   * Surge: a new pod answers before an old one goes. Replace: an old pod goes before a new one comes, which interrupts a service of one pod. Auto: Surge; where a new pod finds no free GPU for 30 s, this rollout goes on with Replace if that leaves a pod that answers.
   */
  readonly strategy: 'Auto' | 'Surge' | 'Replace';
  /**
   * True lets an Auto rollout replace the only pod as well, with nobody to answer until the new one is ready. False waits until there is a free GPU.
   */
  readonly allowInterruption: boolean;
  /**
   * A rollout that makes no progress for so long has failed; old pods go on answering. Longer than spec.server.startupTimeout. Default: startupTimeout and 10 minutes.
   */
  readonly progressDeadline?: string;
}
/**
 * What happens to requests while pods stop, and how many may be stopped at once.
 */
export interface AvailabilitySpec {
  readonly podDisruptionBudget: PodDisruptionBudgetSpec;
  /**
   * How long requests in flight may take after a pod was told to stop, a duration such as 30s or 5m. Before that the pod goes on taking requests for 5 s, until nobody sends it any.
   */
  readonly drainTimeout: string;
}
/**
 * How many pods the drain of nodes may take away at once. There is a PodDisruptionBudget where two pods or more are certain, which is with minReplicas of 2 or more. Pods that are not ready never hold up a drain.
 */
export interface PodDisruptionBudgetSpec {
  /**
   * False where a PodDisruptionBudget of yours covers the pods; two are refused.
   */
  readonly enabled: boolean;
  /**
   * A number of pods or a share such as 25%, rounded up.
   */
  readonly maxUnavailable: number | string;
}
/**
 * Additions to the pods, as in a pod's own spec.
 */
export interface PodSpec {
  /**
   * More labels for the pods; the operator's own cannot be replaced.
   */
  readonly labels?: {
    readonly [k: string]: string;
  };
  /**
   * More annotations for the pods.
   */
  readonly annotations?: {
    readonly [k: string]: string;
  };
  /**
   * Secrets of this namespace with which the image is pulled.
   */
  readonly imagePullSecrets?: readonly LocalObjectReference[];
  /**
   * The pods' service account; its token is not mounted. Default: the namespace's default account.
   */
  readonly serviceAccountName?: string;
  /**
   * Labels that a node must carry.
   */
  readonly nodeSelector?: {
    readonly [k: string]: string;
  };
  /**
   * Taints of nodes that the pods tolerate, besides the GPU's own.
   */
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: Affinity;
  /**
   * How the pods are spread over zones or nodes, instead of the default: over nodes as far as possible, the pods of each revision by themselves. `[]` leaves it to the cluster.
   */
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
  /**
   * Devices that each pod gets through dynamic resource allocation (resource.k8s.io); the server's container has the use of all. No pod is made where the cluster does not serve that API.
   */
  readonly resourceClaims?: readonly PodResourceClaim[];
  readonly priorityClassName?: string;
  readonly runtimeClassName?: string;
}
export interface LocalObjectReference {
  readonly name: string;
}
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}
/**
 * Which nodes, and which pods' neighbourhood, are required, preferred or avoided.
 */
export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
    };
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly PreferredSchedulingTerm[];
  };
  readonly podAffinity?: PodAffinity;
  readonly podAntiAffinity?: PodAffinity;
}
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}
export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}
export interface PreferredSchedulingTerm {
  readonly weight: number;
  readonly preference: NodeSelectorTerm;
}
export interface PodAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly WeightedPodAffinityTerm[];
}
export interface PodAffinityTerm {
  readonly topologyKey: string;
  readonly labelSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly namespaces?: readonly string[];
}
export interface LabelSelector {
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}
export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}
export interface WeightedPodAffinityTerm {
  readonly weight: number;
  readonly podAffinityTerm: PodAffinityTerm;
}
export interface TopologySpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly minDomains?: number;
  readonly nodeAffinityPolicy?: 'Honor' | 'Ignore';
  readonly nodeTaintsPolicy?: 'Honor' | 'Ignore';
}
export interface PodResourceClaim {
  readonly name: string;
  readonly resourceClaimName?: string;
  readonly resourceClaimTemplateName?: string;
}
/**
 * What is, as the operator last saw it.
 */
export interface ModelServiceStatus {
  /**
   * The metadata.generation that this status speaks of.
   */
  readonly observedGeneration?: number;
  /**
   * Ready (requests are answered), Reconciling (a change is being carried out), Stalled (it cannot be carried out; somebody has to act), ModelLoaded (a pod of the present spec has loaded the model), Scheduled (every pod has a node), Drifted (somebody else set fields of the server's container) and, with maxReplicas, AutoscalingActive (the autoscaler can read what it scales on) and CanScaleToZero.
   */
  readonly conditions?: readonly Condition[];
  /**
   * Pods that exist now.
   */
  readonly replicas: number;
  /**
   * Pods that answer requests.
   */
  readonly readyReplicas: number;
  /**
   * The pods' labels, as text, for autoscalers and `kubectl get pods -l`.
   */
  readonly selector?: string;
  /**
   * Where the service answers inside the cluster.
   */
  readonly url?: string;
  /**
   * The URL of each protocol.
   */
  readonly endpoints?: readonly EndpointStatus[];
  /**
   * What is served, as the server itself reports it.
   */
  readonly models?: readonly ModelStatus[];
  readonly revision?: RevisionStatus;
  readonly server?: ServerStatus;
  readonly scaling?: ScalingStatus;
}
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}
export interface EndpointStatus {
  /**
   * OpenInferenceV2 (append /infer) or TensorFlowServingV1 (append :predict).
   */
  readonly protocol: string;
  readonly url: string;
}
export interface ModelStatus {
  readonly name: string;
  readonly version?: string;
  readonly uri: string;
  /**
   * The content's digest, as in spec.model.digest.
   */
  readonly digest?: string;
  readonly format?: string;
  readonly engine?: string;
}
/**
 * Which pods are wanted and which answer, by their label modelservice.dev/revision: where the two differ, a change of the spec is not served yet.
 */
export interface RevisionStatus {
  /**
   * The revision of the present spec.
   */
  readonly wanted: string;
  /**
   * The oldest revision that still answers; without a pod that does, the last one that did. Absent before the first pod is ready.
   */
  readonly ready?: string;
  /**
   * The content that the first pod of the wanted revision has loaded.
   */
  readonly digest?: string;
}
export interface ServerStatus {
  /**
   * The image that the pods run.
   */
  readonly image?: string;
}
export interface ScalingStatus {
  /**
   * Fixed, Autoscaled, Suspended (spec.suspend), ScaledToZero (a size of zero set by hand), Idle (no pods since nobody asks; the gateway holds the next request), Waking (it holds requests until a pod is ready) or Outside (somebody else's autoscaler sets the Deployment's size).
   */
  readonly state?: 'Fixed' | 'Autoscaled' | 'Suspended' | 'ScaledToZero' | 'Idle' | 'Waking' | 'Outside';
  /**
   * When the gateway last asked for pods; the gateway alone writes it.
   */
  readonly wakeRequestTime?: string;
  readonly lastColdStart?: ColdStart;
  readonly lastDecision?: ScalingDecision;
}
/**
 * How long the last start from zero took, from the request that asked for it.
 */
export interface ColdStart {
  /**
   * When the gateway asked for pods.
   */
  readonly requestTime: string;
  /**
   * When the first pod was ready; absent until then.
   */
  readonly readyTime?: string;
  /**
   * What the time went to, in the order of time.
   */
  readonly phases?: readonly ColdStartPhase[];
}
export interface ColdStartPhase {
  /**
   * Scheduling, Starting (pulling the image and starting the container), Fetching, Verifying, Loading and WarmingUp as the server measures them, and Settling (the server's own start and the time until the kubelet saw that it is ready).
   */
  readonly name: string;
  readonly seconds: number;
}
/**
 * The latest change of the number of pods by the autoscaler, or to zero and back because of idleAfter.
 */
export interface ScalingDecision {
  /**
   * When it was made.
   */
  readonly time: string;
  /**
   * The number of pods before it. Absent where the operator did not run when it was made; the fields below are absent then as well.
   */
  readonly from?: number;
  /**
   * The number of pods that it asked for.
   */
  readonly to: number;
  /**
   * MetricAboveTarget, MetricBelowTarget, AboveMaxReplicas (there were more pods than maxReplicas), BelowMinReplicas (there were fewer than minReplicas), Idle (no request for idleAfter) or Woken (pods were wanted again after that).
   */
  readonly reason?: 'MetricAboveTarget' | 'MetricBelowTarget' | 'AboveMaxReplicas' | 'BelowMinReplicas' | 'Idle' | 'Woken';
  /**
   * The type of the metric in spec.scaling.metrics that asked for most pods. Absent where the bounds decided.
   */
  readonly metric?: string;
  /**
   * The field of spec.scaling without which the change would have been greater. Absent where there was none.
   */
  readonly limitedBy?: 'minReplicas' | 'maxReplicas' | 'behavior.scaleUp' | 'behavior.scaleDown';
}
