import { createHash } from 'node:crypto';
import type { ModelService } from '../resource.ts';
import { canonicalJson } from './canonical-json.ts';

type Spec = ModelService['spec'];

/** The parts of a spec that never change a pod. */
type NotOfPods = 'scaling' | 'suspend' | 'rollout';
type ServerNotOfPods = 'updatePolicy';
type AvailabilityNotOfPods = 'podDisruptionBudget';

/** What a pod template may be rendered from: what is read here and left out of the hash would never be rolled out. */
export interface TemplateSource {
  readonly metadata: { readonly name: string };
  readonly spec: Omit<Spec, NotOfPods | 'server' | 'availability'> & {
    readonly server: Omit<Spec['server'], ServerNotOfPods>;
    readonly availability: Omit<Spec['availability'], AvailabilityNotOfPods>;
  };
}

type Sections = TemplateSource['spec'];

/** Whoever leaves out this field asks for nothing in its place. */
const NOTHING = undefined;

/**
 * The fields that feed the pod template, each with what its absence means: the default that it had when it was
 * introduced. An entry never changes, also where the schema's default does: a field at that value is left out of the
 * hash, so that a newer CRD that fills in the default of a new field changes no hash and rolls no pods. Fields that
 * this operator does not know, for a newer CRD is there already, are left out as well.
 */
const FIELDS: { readonly [S in keyof Sections]-?: Readonly<Record<keyof NonNullable<Sections[S]>, unknown>> } = {
  model: { name: NOTHING, version: '1', uri: NOTHING, digest: NOTHING, format: 'Auto' },
  server: {
    image: NOTHING,
    engine: 'Auto',
    resources: {},
    env: NOTHING,
    logLevel: 'Info',
    startupTimeout: '10m',
  },
  gpu: { count: NOTHING, resourceName: 'nvidia.com/gpu', resourceClaim: NOTHING, product: NOTHING },
  batching: { maxBatchSize: 32, maxDelay: '2ms', maxQueueSize: 256 },
  availability: { drainTimeout: '30s' },
  pod: {
    labels: NOTHING,
    annotations: NOTHING,
    imagePullSecrets: NOTHING,
    serviceAccountName: NOTHING,
    nodeSelector: NOTHING,
    tolerations: NOTHING,
    affinity: NOTHING,
    topologySpreadConstraints: NOTHING,
    resourceClaims: NOTHING,
    priorityClassName: NOTHING,
    runtimeClassName: NOTHING,
  },
};

/** Sections that say something by being there, even where each of their fields has its default. */
const TELLING: ReadonlySet<string> = new Set<keyof Sections>(['gpu', 'batching']);

/** SHA-256, in hex, of the fields that feed the pod template; equal for equal meaning, in whatever order it is written. */
export function hashOfInputs({ metadata, spec }: TemplateSource): string {
  const sections = Object.entries(FIELDS).flatMap(([section, fields]) => {
    const values = spec[section as keyof Sections] as Readonly<Record<string, unknown>> | undefined;
    const told = Object.entries(fields)
      .map(([field, absent]): [string, unknown] => [field, toldValue(values?.[field], absent)])
      .filter(([, value]) => value !== undefined);
    const says = told.length > 0 || (values !== undefined && TELLING.has(section));
    return says ? [[section, Object.fromEntries(told)]] : [];
  });
  return hashOfJson({ name: metadata.name, spec: Object.fromEntries(sections) });
}

/** SHA-256, in hex, of a value of JSON, whatever the order of its keys. */
export function hashOfJson(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function toldValue(value: unknown, absent: unknown): unknown {
  if (value === undefined || absent === undefined) return value;
  return canonicalJson(value) === canonicalJson(absent) ? undefined : value;
}
