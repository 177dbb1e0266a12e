import type { ModelService } from '../resource.ts';
import type { EnvVar, Quantities, Toleration } from '../types.generated.ts';

type Fields = Readonly<Record<string, unknown>>;

export function serverEnvOf(service: ModelService): readonly unknown[] {
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

/** Resources of the container, the GPU's limit and equal request included; undefined where nothing is asked for. */
export function serverResourcesOf(service: ModelService): Fields | undefined {
  const { server, gpu } = service.spec;
  const gpus = gpu === undefined ? {} : { [gpu.resourceName]: gpu.count };
  const requests = quantities({ ...server.resources.requests, ...gpus });
  const limits = quantities({ ...server.resources.limits, ...gpus });
  if (requests === undefined && limits === undefined) return undefined;
  return { ...(requests === undefined ? {} : { requests }), ...(limits === undefined ? {} : { limits }) };
}

function quantities(values: Quantities): Fields | undefined {
  const entries = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What `spec.pod` adds to the pod's own spec, and the toleration that a GPU's nodes ask for. */
export function podAdditionsOf(service: ModelService): Fields {
  const { pod, gpu } = service.spec;
  const tolerations: readonly Toleration[] = [
    ...(gpu === undefined ? [] : [{ key: gpu.resourceName, operator: 'Exists', effect: 'NoSchedule' } as const]),
    ...(pod.tolerations ?? []),
  ];
  const additions: Fields = {
    imagePullSecrets: pod.imagePullSecrets,
    serviceAccountName: pod.serviceAccountName,
    nodeSelector: pod.nodeSelector,
    tolerations,
    affinity: pod.affinity,
    topologySpreadConstraints: pod.topologySpreadConstraints,
    priorityClassName: pod.priorityClassName,
    runtimeClassName: pod.runtimeClassName,
  };
  return Object.fromEntries(Object.entries(additions).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return false;
}
