import { randomInt } from 'node:crypto';
import { awaitPods, reportReady } from './kubelet.ts';
import { type LoadedBackend, startTelemetry } from './metrics-pods.ts';

/** Where the operator's pods have their metrics. */
export const METRICS_PORT = 8082;

/** Servers' telemetry behind the pods that the operator's Deployments have, each at an address of its own. */
export interface ServedPods extends AsyncDisposable {
  /** An address of this machine alone that no server of this object has. @param last from 101 to 254 */
  address(last: number): string;
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
  return {
    address: (last) => `${block}.${last}`,
    async serve(name, count, requests) {
      for (const pod of await awaitPods(namespace(), name, count)) {
        if (backends.has(pod.metadata.name)) continue;
        const backend = await startTelemetry({ host: `${block}.${backends.size + 1}`, port: METRICS_PORT });
        backends.set(pod.metadata.name, backend);
        await reportReady(pod, backend.host);
      }
      holdEach(requests / count);
    },
    holdEach,
    async [Symbol.asyncDispose]() {
      for (const backend of backends.values()) await backend[Symbol.asyncDispose]();
    },
  };
}
