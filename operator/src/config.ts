import { z } from 'zod';
import { METRICS_PROVIDERS, type MetricsProvider } from './modelservice/metrics-provider.ts';
import type { Scaler } from './modelservice/plan/autoscaler.ts';
import type { ServerImages } from './modelservice/plan/server-image.ts';
import {
  LEADER_ELECTION_SCHEMA,
  LEADER_ELECTION_SETTINGS,
  type LeaderElectionConfig,
  leaderElectionConfigOf,
} from './runtime/leader-election-settings.ts';
import {
  COMMON_SETTINGS,
  COMMON_SETTINGS_SCHEMA,
  type CommonConfig,
  ConfigError,
  helpText as helpTextOf,
  readSettings,
  SETTING,
  type Settings,
} from './runtime/settings.ts';

/** The operator's settings. Each is a flag, an environment variable and, where a cluster needs it, a Helm value. */
export interface OperatorConfig extends CommonConfig {
  readonly images: ServerImages;
  readonly metrics: MetricsConfig;
  readonly workers: number;
  /** Undefined: there is none, and no service goes to zero. */
  readonly gateway: GatewayConfig | undefined;
  /** Undefined: no leader is elected; there must be one process only. */
  readonly leaderElection: LeaderElectionConfig | undefined;
}

/** The gateway that holds requests for services at zero. */
export interface GatewayConfig {
  readonly namespace: string;
  /** Name of its Deployment. */
  readonly name: string;
  /** Label selector of its pods. */
  readonly selector: string;
  /** How many pods it has while some service may go to zero. */
  readonly replicas: number;
}

/** Where autoscalers read the services' metrics. */
export interface MetricsConfig {
  readonly provider: MetricsProvider;
  readonly scaler: Scaler;
  /** `NAMESPACE/NAME` of the builtin metrics API's Service; undefined: whoever serves is taken for it. */
  readonly apiService: string | undefined;
}

export const SETTINGS = {
  ...COMMON_SETTINGS,
  ...LEADER_ELECTION_SETTINGS,
  serverImageWasm: {
    flag: 'server-image-wasm',
    help: 'Server image with the engines Wasm and JavaScript.',
    default: 'modelservice-server:0.1.0-wasm',
  },
  serverImageTensorflow: {
    flag: 'server-image-tensorflow',
    help: 'Server image with TensorFlow for CPUs.',
    default: 'modelservice-server:0.1.0-tensorflow',
  },
  serverImageTensorflowGPU: {
    flag: 'server-image-tensorflow-gpu',
    help: 'Server image with TensorFlow for GPUs; empty where there is none.',
    default: '',
  },
  metricsProvider: {
    flag: 'metrics-provider',
    help: 'Where autoscalers read the metrics: builtin, prometheus-adapter, keda, shared (somebody else installed it) or none.',
    default: 'builtin',
  },
  metricsApiService: {
    flag: 'metrics-api-service',
    help: 'NAMESPACE/NAME of the builtin metrics API, so that another one beside it is told apart; empty if unknown.',
    default: '',
  },
  prometheusUrl: {
    flag: 'prometheus-url',
    help: 'Prometheus server that KEDA asks, for example http://prometheus.monitoring:9090.',
    default: '',
  },
  prometheusMaxAgeMs: {
    flag: 'prometheus-max-age',
    help: 'What Prometheus scraped longer ago does not count for KEDA.',
    default: '90s',
  },
  workers: { flag: 'workers', help: 'How many ModelServices are worked on at the same time.', default: '4' },
  gatewayNamespace: { flag: 'gateway-namespace', help: 'Namespace of the gateway.', default: 'default' },
  gatewayName: {
    flag: 'gateway-name',
    help: 'Deployment of the gateway, which holds requests for services at zero; empty where there is none.',
    default: '',
  },
  gatewaySelector: {
    flag: 'gateway-selector',
    help: "Label selector of the gateway's pods.",
    default: 'app.kubernetes.io/name=modelservice-operator-gateway',
  },
  gatewayReplicas: {
    flag: 'gateway-replicas',
    help: 'How many pods the gateway has while some service may go to zero; otherwise it has none.',
    default: '2',
  },
} as const satisfies Settings;

const image = z.string().regex(/^\S+$/, 'write the name of an image');

const schema = z.object({
  ...COMMON_SETTINGS_SCHEMA,
  ...LEADER_ELECTION_SCHEMA,
  serverImageWasm: image,
  serverImageTensorflow: image,
  serverImageTensorflowGPU: z.string().regex(/^\S*$/, 'write the name of an image'),
  metricsProvider: z.enum(METRICS_PROVIDERS, { error: `write one of ${METRICS_PROVIDERS.join(', ')}` }),
  metricsApiService: z
    .string()
    .regex(/^([-a-z0-9]+\/[-a-z0-9]+)?$/, 'write NAMESPACE/NAME')
    .transform((text) => (text === '' ? undefined : text)),
  prometheusUrl: SETTING.serverUrl,
  prometheusMaxAgeMs: SETTING.durationMs,
  gatewayNamespace: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'write the name of a namespace'),
  gatewayName: z.string().regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/, 'write the name of a Deployment, or nothing'),
  gatewaySelector: z.string().regex(/^\S+$/, 'write a label selector such as app=gateway'),
  gatewayReplicas: z.coerce.number({ error: 'write a number' }).int().min(1).max(100),
  workers: z.coerce.number({ error: 'write a number' }).int().min(1).max(256),
});

/** @throws {ConfigError} */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorConfig | 'help' {
  const settings = readSettings(SETTINGS, schema, args, env);
  if (settings === 'help') return 'help';
  const { serverImageWasm, serverImageTensorflow, serverImageTensorflowGPU, ...others } = settings;
  const { metricsProvider, metricsApiService, prometheusUrl, prometheusMaxAgeMs, ...more } = others;
  const { gatewayNamespace, gatewayName, gatewaySelector, gatewayReplicas, ...further } = more;
  const { leaderElect, leaseName, leaseNamespace, leaseDurationMs, renewDeadlineMs, retryPeriodMs, ...rest } = further;
  return {
    ...rest,
    metrics: {
      provider: metricsProvider,
      apiService: metricsApiService,
      scaler: scalerOf(metricsProvider, prometheusUrl, prometheusMaxAgeMs),
    },
    gateway:
      gatewayName === ''
        ? undefined
        : { namespace: gatewayNamespace, name: gatewayName, selector: gatewaySelector, replicas: gatewayReplicas },
    leaderElection: leaderElectionConfigOf(further),
    images: {
      wasm: serverImageWasm,
      tensorflow: serverImageTensorflow,
      tensorflowGPU: serverImageTensorflowGPU === '' ? undefined : serverImageTensorflowGPU,
    },
  };
}

function scalerOf(provider: MetricsProvider, prometheusUrl: string | undefined, maxAgeMs: number): Scaler {
  if (provider !== 'keda') return { kind: 'stock' };
  if (prometheusUrl === undefined) {
    throw new ConfigError(
      '--prometheus-url: KEDA asks Prometheus for the metrics; write its address, or choose another --metrics-provider',
    );
  }
  return { kind: 'keda', prometheusUrl, maxAgeMs };
}

/** What `--help` prints. */
export function helpText(): string {
  const purpose = "Looks after the ModelServices of a cluster: KUBECONFIG, or the pod's own service account.";
  return helpTextOf('modelservice-operator', purpose, SETTINGS);
}
