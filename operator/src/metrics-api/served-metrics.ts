/**
 * `metrics-api/` is the custom metrics API (custom.metrics.k8s.io) that a stock HorizontalPodAutoscaler reads: it asks
 * the pods of a ModelService for their own means of 15 s. A component of its own, without state, behind the API
 * server's aggregation layer; `metrics-api.ts` assembles it. This file says what it serves.
 */

/** The group, and its versions, the preferred one first: the autoscaler asks the newest that any server has. */
export const GROUP = 'custom.metrics.k8s.io';
export const VERSIONS = ['v1beta2', 'v1beta1'] as const;
export type Version = (typeof VERSIONS)[number];

/**
 * Metrics of the server (server-image/src/telemetry), served under their own names: what `kubectl get --raw`, a
 * dashboard and the HorizontalPodAutoscaler call by one name is one thing. All are means of `WINDOW_SECONDS`.
 */
export const SERVED_METRICS: readonly string[] = [
  'modelservice_in_flight_avg15s',
  'modelservice_requests_per_second_avg15s',
  'modelservice_queued_avg15s',
];
export const WINDOW_SECONDS = 15;

/** What has these metrics: each pod of a ModelService, and the ModelService for all of its pods together. */
export const PODS = 'pods';
export const MODEL_SERVICES = 'modelservices.modelservice.dev';
export const MODEL_SERVICE_API_VERSION = 'modelservice.dev/v1alpha1';

/** Labels of the pods, as the operator sets them (modelservice/conventions.ts, which this room does not import). */
export const POD_SELECTOR = 'app.kubernetes.io/managed-by=modelservice-operator';
export const NAME_LABEL = 'modelservice.dev/name';
/** Which port /metrics is at. */
export const METRICS_PORT = { container: 'server', port: 'metrics' } as const;
