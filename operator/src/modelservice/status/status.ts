import type { Intent } from '../../kube/types.ts';
import { NAME_LABEL, SERVER_CONTAINER } from '../conventions.ts';
import type { ModelInfo } from '../model-info.ts';
import { urlOf } from '../plan/service.ts';
import { type ModelService, modelNameOf, previousCondition } from '../resource.ts';
import type { Condition, EndpointStatus, ModelServiceStatus, ScalingStatus } from '../types.generated.ts';
import { autoscalingActiveCondition } from './autoscaling-active.ts';
import { canScaleToZeroCondition } from './can-scale-to-zero.ts';
import { coldStartOf } from './cold-start.ts';
import type { ConditionDraft } from './condition-draft.ts';
import { driftedCondition } from './drifted.ts';
import { type Facts, factsOf, type StatusInput } from './facts.ts';
import { lastDecisionOf } from './last-decision.ts';
import type { MetricsFacts } from './metrics-api-problem.ts';
import { modelLoadedCondition } from './model-loaded.ts';
import { modelsOf } from './models.ts';
import { outsideAutoscalerCondition } from './outside-autoscaler.ts';
import { setupOverdueInMs } from './pod-setup.ts';
import { readyCondition } from './ready.ts';
import { reconcilingCondition } from './reconciling.ts';
import { contentProblem, revisionOf } from './revision.ts';
import { scheduledCondition } from './scheduled.ts';
import { stalledCondition } from './stalled.ts';
import { timestamp } from './timestamp.ts';

/** Of the APIs that autoscalers read. */
const NOTHING_KNOWN: MetricsFacts = { provider: 'none', apis: undefined };

export interface StatusOutcome {
  readonly status: ModelServiceStatus;
  /** When to look again without an event; undefined: never. */
  readonly requeueAfterMs: number | undefined;
}

/** The whole status of a ModelService. A pure function of what is known. */
export function statusOf(input: StatusInput, modelInfo: ReadonlyMap<string, ModelInfo>): StatusOutcome {
  const { service, deployment } = input;
  const facts = factsOf(input);
  const replicas = deployment?.status?.replicas ?? 0;
  const revision = revisionOf(input, modelInfo);
  const content = contentProblem(input, revision, modelInfo);
  const ready = readyCondition(service, facts, content);
  const stalled = stalledCondition(facts, ready);
  const reconciling = reconcilingCondition(facts, ready, stalled, replicas);
  const { outsideAutoscaler } = input;
  const scaling = outsideAutoscaler
    ? outsideAutoscalerCondition(service, outsideAutoscaler)
    : autoscalingActiveCondition(service, facts, input.autoscaler, input.metrics ?? NOTHING_KNOWN, input.scaledObject);
  const conditions = [
    ready,
    reconciling,
    stalled,
    scheduledCondition(input.pods),
    modelLoadedCondition(facts, input.pods, content),
    scaling,
    canScaleToZeroCondition(service, input.scaleToZero?.obstacle),
    input.foreignFields && driftedCondition(service.metadata.name, input.foreignFields),
  ];
  const image = deployment?.spec.template.spec.containers.find(({ name }) => name === SERVER_CONTAINER)?.image;
  const status: ModelServiceStatus = {
    ...(service.metadata.generation === undefined ? {} : { observedGeneration: service.metadata.generation }),
    conditions: conditions.filter((draft) => draft !== undefined).map((draft) => dated(service, draft, input.now)),
    replicas,
    readyReplicas: facts.ready,
    selector: `${NAME_LABEL}=${service.metadata.name}`,
    // A Service of somebody else's would lead elsewhere.
    ...(facts.serviceProblem === undefined ? { url: urlOf(service), endpoints: endpointsOf(service) } : {}),
    models: modelsOf(service, input.pods, modelInfo),
    ...(revision === undefined ? {} : { revision }),
    ...(image === undefined ? {} : { server: { image } }),
    scaling: scalingOf(input, facts),
  };
  return { status, requeueAfterMs: stalled.status === 'True' ? undefined : lookAgainMs(input, facts) };
}

function lookAgainMs({ pods, now }: StatusInput, { expiresInMs }: Facts): number | undefined {
  const moments = [expiresInMs, setupOverdueInMs(pods, now)].filter((ms) => ms !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** The body that applies `status`. */
export function statusIntent(service: ModelService, status: ModelServiceStatus): Intent {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: service.apiVersion,
    kind: service.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    status,
  };
}

/** lastTransitionTime moves only when the status flips. */
function dated(service: ModelService, draft: ConditionDraft, now: number): Condition {
  const before = previousCondition(service, draft.type);
  const { generation } = service.metadata;
  return {
    ...draft,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: before?.status === draft.status ? before.lastTransitionTime : timestamp(now),
  };
}

function endpointsOf(service: ModelService): readonly EndpointStatus[] {
  const url = urlOf(service);
  const model = modelNameOf(service);
  return [
    { protocol: 'OpenInferenceV2', url: `${url}/v2/models/${model}` },
    { protocol: 'TensorFlowServingV1', url: `${url}/v1/models/${model}` },
  ];
}

function scalingOf(input: StatusInput, facts: Facts): ScalingStatus {
  const { service, deployment, pods, autoscaler, activity = new Map(), now } = input;
  const lastDecision = lastDecisionOf({ service, autoscaler, deployment, pods, now });
  const lastColdStart = coldStartOf({ service, deployment, pods, activity });
  return {
    state: scalingStateOf(input, facts),
    ...(lastDecision === undefined ? {} : { lastDecision }),
    ...(lastColdStart === undefined ? {} : { lastColdStart }),
  };
}

function scalingStateOf(
  { service: { spec }, outsideAutoscaler }: StatusInput,
  facts: Facts,
): NonNullable<ScalingStatus['state']> {
  if (spec.suspend) return 'Suspended';
  if (facts.idle) return 'Idle';
  if (facts.wanted === 0) return 'ScaledToZero';
  if (facts.waking) return 'Waking';
  if (outsideAutoscaler?.target === 'Deployment') return 'Outside';
  return spec.scaling.maxReplicas === undefined ? 'Fixed' : 'Autoscaled';
}
