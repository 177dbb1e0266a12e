import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ENDPOINT_SLICE, POD } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { systemClock } from '../runtime/clock.ts';
import { programParts } from '../runtime/program-parts.ts';
import type { CallablePod } from '../runtime/ready-address.ts';
import { type BackendPod, BY_MODEL_SERVICE, modelServiceOf, toBackendPod } from './backend-pod.ts';
import type { GatewayConfig } from './config.ts';
import { listenersHandler } from './confirm-listening.ts';
import { FIELD_MANAGER, MODEL_SERVICE, type ModelService, POD_SELECTOR, SLICE_SELECTOR } from './contract.ts';
import { type EndpointSlice, type GatewaySlice, toGatewaySlice } from './gateway-slice.ts';
import { Holding } from './holding.ts';
import { Listeners } from './listeners.ts';
import { toWatched } from './watched-service.ts';

/** For the last answers, when the time to drain is over. */
const LAST_ANSWERS_MS = 5000;

/** Runs the gateway until `signal` aborts and what it holds is answered, or the time for that is over. */
export async function runGateway(config: GatewayConfig, log: Logger, signal: AbortSignal): Promise<void> {
  const { bindAddress: host } = config;
  const parts = await programParts(config, log, FIELD_MANAGER);
  const { api, manager, metrics } = parts;
  const slices = manager.informer<GatewaySlice>(ENDPOINT_SLICE, {
    labelSelector: SLICE_SELECTOR,
    transform: (slice) => toGatewaySlice(slice as KubeObject as EndpointSlice),
  });
  const services = manager.informer<ModelService>(MODEL_SERVICE, { transform: toWatched });
  const pods = manager.informer<BackendPod>(POD, {
    labelSelector: POD_SELECTOR,
    indexes: { [BY_MODEL_SERVICE]: modelServiceOf },
    transform: (pod) => toBackendPod(pod as KubeObject as CallablePod),
  });

  const holding = new Holding({
    api,
    services: services.store,
    podsOf: (service) => pods.store.byIndex(BY_MODEL_SERVICE, service),
    registry: metrics.registry,
    limits: config,
    clock: systemClock,
    log,
    askToWake: (service) => wake.enqueue(service),
  });
  // What fails is tried again within seconds: requests wait for it.
  const rateLimit = { baseMs: 100, capMs: 5000 };
  const wake = manager.controller('wake', holding.reconcileWake, { rateLimit });
  const listeners = new Listeners({ host, onRequest: holding.take, log, clock: systemClock, random: Math.random });
  slices.onChange(({ before, after }) => {
    const [was, is] = [before?.route, after?.route];
    if (was !== undefined && was.service !== is?.service) {
      listeners.drop(was.service);
      holding.retire(was.service);
    }
    if (is !== undefined) listeners.want(is);
  });
  services.onChange(({ key }) => holding.review(key));
  pods.onChange(({ before, after }) => {
    if (before !== undefined && after === undefined) holding.forgetPod(before.metadata.uid);
    for (const service of new Set([before, after].flatMap((pod) => (pod === undefined ? [] : modelServiceOf(pod))))) {
      holding.review(service);
    }
  });
  manager.serveBesideHealth(listenersHandler((service) => listeners.portOf(service)));
  manager.addReadyCheck('drain', () => (signal.aborted ? 'stopping' : undefined));

  const stop = new AbortController();
  async function drain(): Promise<void> {
    listeners.stop();
    log.info({ held: holding.held }, 'Taking no further requests, finishing those under way');
    await Promise.race([holding.idle(), delay(config.drainTimeoutMs, undefined, { ref: false })]);
    holding.sendAway();
    await Promise.race([holding.idle(), delay(LAST_ANSWERS_MS, undefined, { ref: false })]);
    holding.cut();
    stop.abort(signal.reason);
  }
  const onAbort = (): void => void drain();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  // Before that, a service or a pod might seem to be missing.
  void Promise.all([slices.usable(), services.usable(), pods.usable()]).then(() => {
    if (!signal.aborted) listeners.start();
  });
  try {
    await manager.run(stop.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    listeners.stop();
    holding.cut();
    listeners.cut();
    await parts.close();
  }
}
