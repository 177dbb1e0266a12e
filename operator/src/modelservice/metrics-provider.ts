/** Where autoscalers read the services' metrics: metrics.provider of the chart. */
export const METRICS_PROVIDERS = ['builtin', 'prometheus-adapter', 'keda', 'shared', 'none'] as const;
export type MetricsProvider = (typeof METRICS_PROVIDERS)[number];
