import { randomInt } from 'node:crypto';
import { awaitPods, reportReady } from './kubelet.ts';
import { type LoadedBackend, startTelemetry } from './metrics-pods.ts';

/** Where the operator's pods have their metrics. */
export const METRICS_PORT = 8082;

/** Servers' telemetry behind the pods that the operator's Deployments have, each at an address of its own. */
export interface ServedPods extends AsyncDisposable {
  /** An address of this machine alone. @param last that of the n-th server, or from 101 on one of nobody */
  address(last: number): string;
  /**
   * Gives each of the service's `count` pods that has none a server, with `requests` in flight for as long as the means
   * look back, and reports it ready.
   *
   * @returns all of the service's servers, those that were there before first
   */
  start(name: string, count: number, requests?: number): Promise<readonly LoadedBackend[]>;
  /** Gives each of the service's `count` pods that has none a server and reports it ready; then shares out the load. */
  serve(name: string, count: number, requests: number): Promise<void>;
  /** From now on so many requests are in flight at each server. */
  holdEach(requests: number): void;
}

export function createServedPods(namespace: () => string): ServedPods {
  // Of all 127.0.0.0/8; a block of its own for each suite.
  const block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const backends = new Map<string, LoadedBackend>();
  const holdEach = (requests: number): void => {
    for (const backend of backends.values()) backend.hold(requests);
  };
  const start: ServedPods['start'] = async (name, count, requests = 0) => {
    const pods = await awaitPods(namespace(), name, count);
    for (const pod of pods) {
      if (backends.has(pod.metadata.name)) continue;
      const backend = await startTelemetry({ host: `${block}.${backends.size + 1}`, port: METRICS_PORT });
      backends.set(pod.metadata.name, backend);
      backend.heldForLong(requests);
      await reportReady(pod, backend.host);
    }
    const names = new Set(pods.map(({ metadata }) => metadata.name));
    return [...backends].filter(([pod]) => names.has(pod)).map(([, backend]) => backend);
  };
  return {
    address: (last) => `${block}.${last}`,
    start,
    async serve(name, count, requests) {
      await start(name, count);
      holdEach(requests / count);
    },
    holdEach,
    async [Symbol.asyncDispose]() {
      for (const backend of backends.values()) await backend[Symbol.asyncDispose]();
    },
  };
}
