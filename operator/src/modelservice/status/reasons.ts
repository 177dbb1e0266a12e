/** Every reason of a condition, and when it is given. */
export const REASONS = {
  // Ready and what goes with it
  Serving: 'At least the minimum of pods answers and the spec is rolled out.',
  RolloutInProgress: 'The spec is being rolled out; the pods from before it answer meanwhile.',
  PodsMissing: 'Some pods answer, but fewer than the minimum.',
  ContentChanged: 'Pods of one revision answer with different content, for what the URI leads to has changed.',
  OldRevisionServing: 'The spec could not be rolled out; the pods from before it answer.',
  Suspended: 'spec.suspend is true: there are no pods.',
  Idle: 'Nobody has asked for idleAfter: there are no pods, and the gateway holds the next request until there is one.',
  Waking: 'A pod is starting after a time at zero; the gateway holds requests until it is ready.',
  ScaledToZero: 'The size was set to zero by hand: there are no pods.',

  // Why no pod answers, as the operator sees it
  Pending: 'The children are being made, or no pod has been made yet.',
  PodsStarting: 'Pods are starting or loading the model.',
  RolloutPaused: 'Somebody paused the Deployment before the spec was rolled out.',
  QuotaExceeded: 'A ResourceQuota of the namespace admits no more pods.',
  PodSecurityViolation: 'The pods break the pod security that the namespace enforces.',
  LimitRangeViolation: 'A LimitRange of the namespace refuses the pods.',
  ServiceAccountNotFound: 'The ServiceAccount of the pods does not exist.',
  PriorityClassNotFound: 'The PriorityClass of the pods does not exist.',
  RuntimeClassNotFound: 'The RuntimeClass of the pods does not exist.',
  PodsRefused: 'The API server admits no pods, for another reason, such as a webhook.',
  OOMKilled: 'The server used more memory than its limit, or than the node has.',
  StartupTimeout: 'The model was not loaded within spec.server.startupTimeout.',
  ServerFailed: 'The server ended without saying why.',
  ContainerConfigInvalid: 'The container cannot be made, for example because a Secret that env names is missing.',
  ImageNameInvalid: 'The name of the server’s image is not valid.',
  ImageNotFound: 'The registry does not have the server’s image.',
  ImagePullDenied: 'The registry refuses the server’s image, which needs credentials or does not exist.',
  ImagePullFailed: 'The server’s image cannot be pulled, for another reason.',
  Unschedulable: 'No node can take a pod.',
  ReplacingPods: 'There is no GPU for old and new pods at once, so old ones go first.',
  BlockedByCapacity: 'There is no GPU for a new pod, and without the old one nobody would answer.',
  SchedulingGated: 'A scheduling gate holds the pods back.',
  PodSetupFailing: 'The node does not get a pod’s volumes or its network ready.',
  NodeLost: 'The node of a pod does not answer.',
  Evicted: 'A pod was evicted because its node ran out of something.',
  Disrupted: 'A pod was ended to make room, or with its node.',
  ProbeFailing: 'A server that was ready does not pass its readiness probe any more.',
  DeadlineExceeded: 'Pods did not become ready within the time that they have, and show no cause.',

  // Why no pod answers, as the server says in its termination message
  InvalidConfig: 'The server could not read its configuration.',
  ModelNotFound: 'There is no model at the URI.',
  FetchFailed: 'The model could not be fetched.',
  DigestMismatch: 'The content of the model is not what spec.model.digest says.',
  InvalidModel: 'The files are no model that the server can read.',
  UnsupportedOperation: 'The engine lacks an operation that the model uses.',
  EngineUnavailable: 'The image does not have the engine that was asked for.',
  GPUNotUsable: 'A GPU was asked for and cannot be used.',
  WarmupFailed: 'The model was loaded and its first inference failed.',
  OutOfMemory: 'The model does not fit into the memory that the server has.',
  EngineCrashed: 'The engine ended unexpectedly.',
  PortInUse: 'A port that the server listens on is taken.',
  InternalError: 'The server failed in a way that nobody foresaw.',

  // What keeps the operator from carrying out the spec
  NameTaken: 'An object of the same name exists and belongs to somebody else.',
  NoServerImage: 'The operator has no server image for what was asked for.',
  Refused: 'The API server refuses a child object.',
  ResourceClaimsNotServed: 'The cluster does not serve resource.k8s.io, and spec.pod.resourceClaims needs it.',
  NoGatewayPort: 'All ports of the gateway are taken.',

  // Scheduled
  NodesFound: 'Every pod has a node.',

  // ModelLoaded
  Loaded: 'A pod of the present spec has loaded the model.',
  Loading: 'No pod of the present spec has loaded the model yet.',

  // Drifted
  AsApplied: 'The server’s container is as the spec asks.',
  ForeignChanges: 'Somebody else set fields of the server’s container.',

  // Somebody else's autoscaler
  OutsideAutoscaler: 'Somebody else’s autoscaler sets the number of pods, and the operator leaves it to that one.',
  ScaledFromOutside: 'Somebody else’s autoscaler scales the ModelService, by its scale subresource.',

  // CanScaleToZero
  GatewayReady: 'The gateway holds requests while the service is at zero.',
  NoGateway: 'The operator runs without a gateway, so one pod stays.',
  GatewayNotReady: 'No pod of the gateway holds requests for the service, so one pod stays.',
  ActivityUnknown: 'Some pod does not say when it was last asked, so one pod stays.',

  // AutoscalingActive
  MetricsRead: 'The autoscaler can read its metrics.',
  LimitedByMaxReplicas: 'The autoscaler reads its metrics and wants more pods than spec.scaling.maxReplicas.',
  MetricsAPIMissing: 'Nobody serves the API from which the autoscaler reads the request metrics.',
  MetricsAPIUnavailable: 'The API from which the autoscaler reads the request metrics does not answer.',
  MetricsAPIContested: 'Somebody else serves custom.metrics.k8s.io beside this operator’s metrics API.',
  ResourceMetricsMissing: 'Nobody serves metrics.k8s.io, which scaling on Cpu needs, or it does not answer.',
  KEDAMissing: 'KEDA, which is to scale, is not installed.',
  KEDANotReady: 'KEDA cannot scale by the ScaledObject.',
  MetricsMissing: 'The autoscaler cannot read a metric; the size stays as it is.',
  PodsSilent: 'Pods are ready, but none tells its request metrics; the size stays as it is.',
  NothingToMeasure: 'No pod answers, so there are no metrics yet.',
  ScalingPaused: 'The size is zero, which pauses the autoscaler.',

  // The other two conditions at rest
  UpToDate: 'Nothing is being carried out.',
  NotStalled: 'Nothing keeps the spec from being carried out.',
  GaveUp: 'It has not succeeded within its time; see Stalled.',
} as const;

export type Reason = keyof typeof REASONS;

/** The reasons that a server's termination message may bear: those of server-image/src/failures.ts. */
export const SERVER_REASONS: ReadonlySet<string> = new Set<Reason>([
  'InvalidConfig',
  'ModelNotFound',
  'FetchFailed',
  'DigestMismatch',
  'InvalidModel',
  'UnsupportedOperation',
  'EngineUnavailable',
  'GPUNotUsable',
  'WarmupFailed',
  'OutOfMemory',
  'EngineCrashed',
  'PortInUse',
  'InternalError',
]);

/** Whether a server's termination message may bear this reason. */
export function isServerReason(reason: unknown): reason is Reason {
  return typeof reason === 'string' && SERVER_REASONS.has(reason);
}
