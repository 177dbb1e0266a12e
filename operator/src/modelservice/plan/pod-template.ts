import { durationMs } from '../../runtime/duration.ts';
import {
  CONFIG_MAP_DIR,
  childLabels,
  HTTP_PORT,
  METRICS_PORT,
  SERVER_CONTAINER,
  stablePodLabels,
} from '../conventions.ts';
import { podAdditionsOf, serverEnvOf, serverResourcesOf } from './pod-fields.ts';
import { CACHE_DIR, serverConfigOf, serverConfigText } from './server-config.ts';
import type { TemplateSource } from './template-inputs.ts';

/** The `nonroot` user of the server's images. */
const USER_ID = 65532;
/** Between leaving the Service's endpoints and SIGTERM: time for every node's proxy to hear of it. */
const ENDPOINT_REMOVAL_SECONDS = 5;
/** What the process may need beyond its own drain before it is killed. */
const TERMINATION_MARGIN_SECONDS = 5;
const STARTUP_PROBE_PERIOD_SECONDS = 2;

/** Where a Prometheus that goes by annotations finds the metrics; who scrapes otherwise says so in spec.pod. */
const SCRAPED = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(METRICS_PORT),
  'prometheus.io/path': '/metrics',
};

/**
 * The pods of `service`. A pure function of the spec and the image: nothing of the operator's version, time or order of
 * iteration goes in, because every change of it rolls the pods.
 */
export function podTemplateOf(service: TemplateSource, image: string): Readonly<Record<string, unknown>> {
  const { pod, availability } = service.spec;
  return {
    metadata: {
      labels: {
        ...pod.labels,
        ...childLabels(service.metadata.name),
        ...stablePodLabels(service.metadata.name),
      },
      annotations: { ...SCRAPED, ...pod.annotations },
    },
    spec: {
      containers: [serverContainer(service, image)],
      volumes: volumesOf(service),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER_ID,
        runAsGroup: USER_ID,
        fsGroup: USER_ID,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds:
        ENDPOINT_REMOVAL_SECONDS + Math.ceil(durationMs(availability.drainTimeout) / 1000) + TERMINATION_MARGIN_SECONDS,
      ...podAdditionsOf(service),
    },
  };
}

function serverContainer(service: TemplateSource, image: string): Readonly<Record<string, unknown>> {
  const { startupTimeout } = service.spec.server;
  const ready = { path: '/v2/health/ready', port: 'http' };
  const resources = serverResourcesOf(service);
  const configMap = configMapOf(service);
  return {
    name: SERVER_CONTAINER,
    image,
    env: [{ name: 'MODELSERVICE_CONFIG', value: serverConfigText(serverConfigOf(service)) }, ...serverEnvOf(service)],
    ports: [
      { name: 'http', containerPort: HTTP_PORT, protocol: 'TCP' },
      { name: 'metrics', containerPort: METRICS_PORT, protocol: 'TCP' },
    ],
    ...(resources === undefined ? {} : { resources }),
    startupProbe: {
      httpGet: ready,
      periodSeconds: STARTUP_PROBE_PERIOD_SECONDS,
      failureThreshold: Math.ceil(durationMs(startupTimeout) / 1000 / STARTUP_PROBE_PERIOD_SECONDS),
      timeoutSeconds: 2,
    },
    readinessProbe: { httpGet: ready, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 3 },
    livenessProbe: {
      httpGet: { path: '/v2/health/live', port: 'http' },
      periodSeconds: 10,
      failureThreshold: 6,
      timeoutSeconds: 5,
    },
    lifecycle: { preStop: { sleep: { seconds: ENDPOINT_REMOVAL_SECONDS } } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'cache', mountPath: CACHE_DIR },
      ...(configMap === undefined
        ? []
        : [{ name: 'model', mountPath: `${CONFIG_MAP_DIR}/${configMap}`, readOnly: true }]),
    ],
  };
}

function volumesOf(service: TemplateSource): readonly unknown[] {
  const configMap = configMapOf(service);
  return [
    { name: 'tmp', emptyDir: {} },
    { name: 'cache', emptyDir: {} },
    // Optional, so that the server starts without it and says what is missing; else the pod would wait in silence.
    ...(configMap === undefined ? [] : [{ name: 'model', configMap: { name: configMap, optional: true } }]),
  ];
}

function configMapOf(service: TemplateSource): string | undefined {
  return /^configmap:\/\/(.+)$/.exec(service.spec.model.uri)?.[1];
}
