import { stablePodLabels, TEMPLATE_LABEL } from '../conventions.ts';
import type { EnvVar, Quantities, Toleration } from '../types.generated.ts';
import type { TemplateSource } from './template-inputs.ts';

/** Set on nodes by NVIDIA's GPU feature discovery. */
const GPU_PRODUCT_LABEL = 'nvidia.com/gpu.product';

type Fields = Readonly<Record<string, unknown>>;

export function serverEnvOf(service: TemplateSource): readonly unknown[] {
  return (service.spec.server.env ?? []).map(envVariable);
}

function envVariable({ name, value, valueFrom }: EnvVar): unknown {
  const resource = valueFrom?.resourceFieldRef;
  return {
    name,
    ...(value === undefined ? {} : { value }),
    ...(valueFrom === undefined
      ? {}
      : {
          valueFrom:
            resource?.divisor === undefined
              ? valueFrom
              : { ...valueFrom, resourceFieldRef: { ...resource, divisor: String(resource.divisor) } },
        }),
  };
}

/** Resources of the container, GPUs and claimed devices included; undefined where nothing is asked for. */
export function serverResourcesOf(service: TemplateSource): Fields | undefined {
  const { server, gpu, pod } = service.spec;
  const gpus = gpu?.count === undefined ? {} : { [gpu.resourceName]: gpu.count };
  const claims = (pod.resourceClaims ?? []).map(({ name }) => ({ name }));
  const requests = quantities({ ...server.resources.requests, ...gpus });
  const limits = quantities({ ...server.resources.limits, ...gpus });
  const resources: Fields = { requests, limits, claims };
  const asked = Object.entries(resources).filter(([, value]) => !isEmpty(value));
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}

function quantities(values: Quantities): Fields | undefined {
  const entries = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What `spec.pod` adds to the pod's own spec, what a GPU asks of the node, and how pods are spread by default. */
export function podAdditionsOf(service: TemplateSource): Fields {
  const { pod, gpu } = service.spec;
  const tolerations: readonly Toleration[] = [
    ...(gpu === undefined ? [] : [{ key: gpu.resourceName, operator: 'Exists', effect: 'NoSchedule' } as const]),
    ...(pod.tolerations ?? []),
  ];
  const product = gpu?.product === undefined ? {} : { [GPU_PRODUCT_LABEL]: gpu.product };
  const additions: Fields = {
    imagePullSecrets: pod.imagePullSecrets,
    serviceAccountName: pod.serviceAccountName,
    nodeSelector: { ...pod.nodeSelector, ...product },
    tolerations,
    affinity: pod.affinity,
    topologySpreadConstraints: pod.topologySpreadConstraints ?? [overNodes(service)],
    resourceClaims: pod.resourceClaims,
    priorityClassName: pod.priorityClassName,
    runtimeClassName: pod.runtimeClassName,
  };
  return Object.fromEntries(Object.entries(additions).filter(([, value]) => !isEmpty(value)));
}

/**
 * One node's end takes as few pods with it as can be; a preference only, because a rule would keep pods waiting where
 * there are few nodes. Each revision by itself: during a rollout the old pods would else push the new ones together.
 */
function overNodes(service: TemplateSource): unknown {
  return {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: stablePodLabels(service.metadata.name) },
    matchLabelKeys: [TEMPLATE_LABEL],
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
