import type { AccessAttributes } from './authorizer.ts';
import { GROUP, VERSIONS, type Version } from './served-metrics.ts';

/** What a path asks for. */
export interface MetricRequest {
  readonly version: Version;
  readonly namespace: string;
  /** `pods`, or `PLURAL.GROUP`. */
  readonly resource: string;
  /** `*`: all that the label selector selects. */
  readonly name: string;
  readonly metric: string;
  readonly labelSelector: string;
  readonly metricLabelSelector: string;
}

export interface ApiRequest {
  /** What the user needs the right to. */
  readonly attributes: AccessAttributes;
  /** undefined: a document, such as discovery, by its path. */
  readonly metric: MetricRequest | undefined;
  readonly path: string;
}

/**
 * Reads the target of a GET request: `/apis/custom.metrics.k8s.io/VERSION/namespaces/NS/RESOURCE/NAME/METRIC` is a
 * metric, anything else a document. The rights are those that Kubernetes' own library for such servers asks for, so
 * that the autoscaler's ClusterRole, and `kubectl auth can-i get pods.custom.metrics.k8s.io/METRIC`, fit.
 */
export function readApiRequest(target: string): ApiRequest {
  const { pathname, searchParams } = new URL(target, 'http://local');
  const document: ApiRequest = {
    attributes: { nonResourceAttributes: { path: pathname, verb: 'get' } },
    metric: undefined,
    path: pathname,
  };
  const parts = pathname.split('/').slice(1).map(decoded);
  const [apis, group, version, namespaces, namespace, resource, name, metric, ...rest] = parts;
  if (apis !== 'apis' || group !== GROUP || namespaces !== 'namespaces' || rest.length > 0) return document;
  const served = VERSIONS.find((candidate) => candidate === version);
  if (served === undefined || !namespace || !resource || !name || !metric) return document;
  return {
    attributes: {
      resourceAttributes: { group, version: served, namespace, resource, subresource: metric, name, verb: 'get' },
    },
    metric: {
      version: served,
      namespace,
      resource,
      name,
      metric,
      labelSelector: searchParams.get('labelSelector') ?? '',
      metricLabelSelector: searchParams.get('metricLabelSelector') ?? '',
    },
    path: pathname,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
