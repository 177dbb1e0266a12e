/** Every reason of a condition, and when it is given. */
export const REASONS = {
  // Ready and what goes with it
  Serving: 'At least the minimum of pods answers and the spec is rolled out.',
  RolloutInProgress: 'The spec is being rolled out; the pods from before it answer meanwhile.',
  PodsMissing: 'Some pods answer, but fewer than the minimum.',
  OldRevisionServing: 'The spec could not be rolled out; the pods from before it answer.',
  Suspended: 'spec.suspend is true: there are no pods.',
  Idle: 'Nobody has asked for idleAfter: there are no pods, and the gateway holds the next request until there is one.',
  Waking: 'A pod is starting after a time at zero; the gateway holds requests until it is ready.',
  ScaledToZero: 'The size was set to zero by hand: there are no pods.',

  // Why no pod answers, as the operator sees it
  Pending: 'The children are being made, or no pod has been made yet.',
  PodsStarting: 'Pods are starting or loading the model.',
  Unschedulable: 'No node can take a pod.',
  ImagePullFailed: 'The image of the server cannot be pulled.',
  ContainerConfigInvalid: 'The container cannot be made, for example because a Secret that env names is missing.',
  PodsRefused: 'The API server refuses the pods, for example because of a quota or the namespace’s pod security.',
  DeadlineExceeded: 'Pods did not become ready within the time that they have, and show no cause.',
  ServerFailed: 'The server ended without saying why.',

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
  OutOfMemory: 'The server used more memory than its limit.',
  EngineCrashed: 'The engine ended unexpectedly.',
  PortInUse: 'A port that the server listens on is taken.',
  InternalError: 'The server failed in a way that nobody foresaw.',

  // What keeps the operator from carrying out the spec
  NameTaken: 'An object of the same name exists and belongs to somebody else.',
  NoServerImage: 'The operator has no server image for what was asked for.',
  Refused: 'The API server refuses a child object.',
  NoGatewayPort: 'All ports of the gateway are taken.',

  // CanScaleToZero
  GatewayReady: 'The gateway holds requests while the service is at zero.',
  NoGateway: 'The operator runs without a gateway, so one pod stays.',
  GatewayNotReady: 'No pod of the gateway holds requests for the service, so one pod stays.',
  ActivityUnknown: 'Some pod does not say when it was last asked, so one pod stays.',

  // ScalingActive
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
