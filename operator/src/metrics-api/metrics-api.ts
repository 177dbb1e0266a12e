import type { Logger } from 'pino';
import { API_SERVICE, CONFIG_MAP, POD, SECRET } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { Applier } from '../runtime/applier.ts';
import { systemClock } from '../runtime/clock.ts';
import { programParts } from '../runtime/program-parts.ts';
import type { CallablePod } from '../runtime/ready-address.ts';
import { answerApiCall } from './api-handler.ts';
import { apiMetrics } from './api-metrics.ts';
import { ApiServer } from './api-server.ts';
import { Authorizer } from './authorizer.ts';
import { type ApiService, certificateReconciler, FIELD_MANAGER, isServedBy } from './certificate-reconciler.ts';
import { certificatesIn, parseCertificate, type Secret } from './certificate-secret.ts';
import type { MetricsApiConfig } from './config.ts';
import { AUTHENTICATION_CONFIG_MAP, type ConfigMap, type FrontProxy, frontProxyOf } from './front-proxy.ts';
import { openMetricSource } from './open-metric-source.ts';
import { GROUP, POD_SELECTOR } from './served-metrics.ts';
import { POD_INDEXES, type ServerPod, toServerPod } from './server-pod.ts';

/** The autoscalers of the whole cluster ask the newest version that anybody serves. */
const FOREIGN =
  'Somebody else serves a version of the custom metrics API, which is left alone: autoscalers may ask either';

/** Runs the metrics API until `signal` aborts and everything under way has ended. */
export async function runMetricsApi(config: MetricsApiConfig, log: Logger, signal: AbortSignal): Promise<void> {
  const { namespace, bindAddress: host } = config;
  const service = { namespace, name: config.serviceName };
  const secretKey = `${namespace}/${config.secretName}`;
  const parts = await programParts(config, log, FIELD_MANAGER);
  const { api, manager, metrics } = parts;
  const pods = manager.informer<ServerPod>(POD, {
    labelSelector: POD_SELECTOR,
    indexes: POD_INDEXES,
    transform: (pod) => toServerPod(pod as KubeObject as CallablePod),
  });
  const secrets = manager.informer<Secret>(SECRET, {
    namespaces: [namespace],
    fieldSelector: `metadata.name=${config.secretName}`,
  });
  const configMaps = manager.informer<ConfigMap>(CONFIG_MAP, {
    namespaces: [AUTHENTICATION_CONFIG_MAP.namespace],
    fieldSelector: `metadata.name=${AUTHENTICATION_CONFIG_MAP.name}`,
  });
  const apiServices = manager.informer<ApiService>(API_SERVICE, { keepManagers: [FIELD_MANAGER] });

  const told = apiMetrics(metrics.registry);
  const source = await openMetricSource(config, told, systemClock);
  pods.onChange(({ before, after }) => source.podChanged(before, after));

  let frontProxy: FrontProxy | undefined;
  let identified = false;
  const authorizer = new Authorizer({ reviews: api, clock: systemClock });
  const options = {
    frontProxy: () => frontProxy,
    authorizer,
    pods: pods.store,
    read: source.read,
    namespaces: config.watchNamespaces,
    log,
  };
  const server = new ApiServer(async (call, left) => {
    const startedMs = systemClock.elapsedMs();
    const answer = await answerApiCall(call, options, left);
    const seconds = (systemClock.elapsedMs() - startedMs) / 1000;
    told.answered(call.target.includes('/namespaces/') ? 'metric' : 'document', answer.status, seconds);
    return answer;
  });
  function identify(): void {
    const secret = secrets.store.get(secretKey);
    const current = secret === undefined ? undefined : certificatesIn(secret).current;
    if (current === undefined || frontProxy === undefined) return;
    server.identify({ ...current, clientCa: frontProxy.clientCa });
    const expires = parseCertificate(current.cert)?.validToDate;
    if (expires !== undefined) told.certificateExpires(expires.getTime() / 1000);
    if (!identified) log.info({ service }, 'Serving the metrics API');
    identified = true;
  }
  configMaps.onChange(({ after }) => {
    if (after !== undefined) frontProxy = frontProxyOf(after);
    identify();
  });
  manager.addReadyCheck('front proxy', () =>
    frontProxy === undefined ? 'the API server does not say by which certificate it calls aggregated APIs' : undefined,
  );
  manager.addReadyCheck('certificate', () => (identified ? undefined : 'there is none to serve yet'));

  const reconcile = certificateReconciler({
    api,
    applier: new Applier({ api, onResult: metrics.countApply }),
    secrets: secrets.store,
    apiServices: apiServices.store,
    service,
    dnsName: `${service.name}.${namespace}.svc`,
    lifetimeMs: config.certificateLifetimeMs,
    clock: systemClock,
  });
  const certificates = manager.controller('certificates', reconcile, { workers: 1 });
  certificates.enqueue(secretKey);
  secrets.onChange(() => {
    identify();
    certificates.enqueue(secretKey);
  });
  apiServices.onChange(({ key, after }) => {
    if (after?.spec.group !== GROUP) return;
    if (isServedBy(after, service)) certificates.enqueue(secretKey);
    else log.warn({ apiService: key, service: after.spec.service }, FOREIGN);
  });

  try {
    await server.listen({ host, port: config.apiPort });
    await manager.run(signal);
  } finally {
    await server.close();
    await source.close();
    await parts.close();
  }
}
