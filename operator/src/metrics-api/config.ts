import { z } from 'zod';
import {
  COMMON_SETTINGS,
  COMMON_SETTINGS_SCHEMA,
  type CommonConfig,
  helpText as helpTextOf,
  readSettings,
  SETTING,
  type Settings,
} from '../runtime/settings.ts';

/** The settings of the metrics API; the chart sets those that name its own objects. */
export interface MetricsApiConfig extends CommonConfig {
  /** Port of the API itself, HTTPS. */
  readonly apiPort: number;
  /** Where this runs. */
  readonly namespace: string;
  /** Of that namespace: the Service through which the API server calls, and the Secret of its certificates. */
  readonly serviceName: string;
  readonly secretName: string;
  readonly certificateLifetimeMs: number;
  /** Undefined: the pods are asked themselves. */
  readonly prometheusUrl: string | undefined;
  /** A folder; see PrometheusClientOptions. */
  readonly prometheusCredentials: string | undefined;
  readonly prometheusMaxAgeMs: number;
}

export const METRICS_API_SETTINGS = {
  ...COMMON_SETTINGS,
  apiPort: { flag: 'api-port', help: 'Port of the API itself, HTTPS.', default: '8443' },
  namespace: { flag: 'namespace', help: 'Namespace in which this runs.', default: 'default' },
  serviceName: {
    flag: 'service-name',
    help: 'Service through which the API server calls.',
    default: 'modelservice-operator-metrics-api',
  },
  secretName: {
    flag: 'secret-name',
    help: 'Secret, made by the chart, in which the certificates are kept.',
    default: 'modelservice-operator-metrics-api',
  },
  certificateLifetimeMs: {
    flag: 'certificate-lifetime',
    help: 'How long a certificate is valid; it is renewed when a third of that is left.',
    default: '2160h',
  },
  prometheusUrl: {
    flag: 'prometheus-url',
    help: 'Prometheus server that is asked for metrics, for example http://prometheus.monitoring:9090; empty to ask the pods.',
    default: '',
  },
  prometheusCredentials: {
    flag: 'prometheus-credentials',
    help: 'Folder with the files token, or username and password, and ca.crt, as far as Prometheus needs them.',
    default: '',
  },
  prometheusMaxAgeMs: {
    flag: 'prometheus-max-age',
    help: 'What Prometheus scraped longer ago is not used; longer than its scrape interval.',
    default: '90s',
  },
} as const satisfies Settings;

const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'write the name of a Kubernetes object');

const schema = z.object({
  ...COMMON_SETTINGS_SCHEMA,
  apiPort: SETTING.port,
  namespace: name,
  serviceName: name,
  secretName: name,
  certificateLifetimeMs: SETTING.durationMs,
  prometheusUrl: SETTING.serverUrl,
  prometheusCredentials: z.string().transform((text) => (text === '' ? undefined : text)),
  prometheusMaxAgeMs: SETTING.durationMs,
});

/** @throws {ConfigError} */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MetricsApiConfig | 'help' {
  return readSettings(METRICS_API_SETTINGS, schema, args, env);
}

/** What `--help` prints. */
export function helpText(): string {
  const purpose =
    "Serves custom.metrics.k8s.io from the pods of ModelServices: KUBECONFIG, or the pod's own service account.";
  return helpTextOf('modelservice-metrics-api', purpose, METRICS_API_SETTINGS);
}
