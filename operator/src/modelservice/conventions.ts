/** Names that more than one file, or somebody outside, relies on. */

/** Applies the children and the status. */
export const FIELD_MANAGER = 'modelservice';
/** Applies nothing but a Deployment's `spec.replicas`. */
export const REPLICAS_FIELD_MANAGER = 'modelservice-replicas';

/** Label: the ModelService that a child or pod belongs to. */
export const NAME_LABEL = 'modelservice.dev/name';
/** Label: which of a service's Deployments a pod belongs to. */
export const TRACK_LABEL = 'modelservice.dev/track';
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'modelservice-operator';
/** Label of pods: the revision of their ModelService that they were made for. */
export const REVISION_LABEL = 'modelservice.dev/revision';
/** Annotation on a Deployment: its pod template as it was rendered, and the hash of what it was rendered from. */
export const POD_TEMPLATE_ANNOTATION = 'modelservice.dev/pod-template';
/** Annotation on a suspended service's Deployment: the number of pods to come back to. */
export const RESUME_REPLICAS_ANNOTATION = 'modelservice.dev/resume-replicas';

/**
 * Annotation on the Deployment of a service that went to zero because nobody asked: since when. It stays until the
 * first pod is ready again, and is applied together with `spec.replicas`, so that neither is ever there without the
 * other.
 */
export const IDLE_SINCE_ANNOTATION = 'modelservice.dev/idle-since';

/** Label: who keeps an EndpointSlice. Kubernetes' own controller copies a Service's other labels to its slices. */
export const SLICE_MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';

/** Label: the Service whose endpoints a slice has. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Name of the one container in each pod. */
export const SERVER_CONTAINER = 'server';
/** The server's default port of the inference protocols (server-image/config.schema.json). */
export const HTTP_PORT = 8080;
/** The server's default port of /metrics (server-image/config.schema.json). */
export const METRICS_PORT = 8082;
/** Where each ConfigMap of a configmap:// URI is mounted under its name: the server's default. */
export const CONFIG_MAP_DIR = '/mnt/configmaps';

/** The labels of every child. */
export function childLabels(name: string): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'modelservice',
    'app.kubernetes.io/instance': name,
    [MANAGED_BY_LABEL]: MANAGED_BY,
    [NAME_LABEL]: name,
  };
}

/** Label: which template of a Deployment a pod was made from; its controller sets it. */
export const TEMPLATE_LABEL = 'pod-template-hash';

/** What the Deployment selects. */
export function stablePodLabels(name: string): Readonly<Record<string, string>> {
  return { [NAME_LABEL]: name, [TRACK_LABEL]: 'stable' };
}
