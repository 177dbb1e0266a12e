// Pods whose metrics are read: real objects, reported ready by hand, and the server's own telemetry behind them.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetricsServer } from '../../../server-image/src/telemetry/metrics-server.ts';
import { WINDOW_MS } from '../../../server-image/src/telemetry/sliding-window.ts';
import { createTelemetry, type RequestSpan } from '../../../server-image/src/telemetry/telemetry.ts';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi } from './test-run.ts';

export interface MetricsBackend extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

export interface LoadedBackend extends MetricsBackend {
  /** From now on so many requests are in flight. */
  hold(requests: number): void;
  /** So many have been in flight for as long as the server's means look back. */
  heldForLong(requests: number): void;
  /** From now on: open connections too. */
  fail(fault: PodFault): Promise<void>;
  /** Answers again, at the same address. */
  recover(): Promise<void>;
}

/**
 * How a pod fails that still counts as ready: takes requests and never answers, begins an answer that never ends, or
 * refuses connections.
 */
export type PodFault = 'hangs' | 'trickles' | 'refuses';

const TRICKLE_MS = 100;

interface Listen {
  readonly host: string;
  readonly port: number;
}

const ANYWHERE: Listen = { host: '127.0.0.1', port: 0 };

/** The telemetry of a model server, with requests in flight as a test wants. */
export async function startTelemetry(at: Listen = ANYWHERE): Promise<LoadedBackend> {
  const model = {
    name: 'm',
    version: '1',
    uri: 'file:///m',
    phase: 'Ready',
    loaded: undefined,
    failure: undefined,
  } as const;
  // Runs ahead where a test wants what was held for long.
  let aheadMs = 0;
  const telemetry = createTelemetry(
    { list: () => [model], get: () => model },
    () => Date.now() / 1000,
    () => performance.now() + aheadMs,
  );
  const metrics = createMetricsServer(telemetry.registry);
  let fault: PodFault | undefined;
  const server = createServer((request, response) => {
    if (fault === undefined) metrics.emit('request', request, response);
    if (fault === 'trickles') {
      const timer = setInterval(() => response.write('#'), TRICKLE_MS);
      response.on('close', () => clearInterval(timer));
    }
  });
  const spans: RequestSpan[] = [];
  const backend = await listening(server, at);
  const hold = (requests: number): void => {
    while (spans.length < requests) spans.push(telemetry.requestStarted('m', '1', 'v2'));
    for (const span of spans.splice(requests)) span.end(200);
  };
  return {
    ...backend,
    hold,
    heldForLong(requests) {
      hold(requests);
      aheadMs += WINDOW_MS;
    },
    async fail(next) {
      fault = next;
      if (next === 'refuses') await stopListening(server);
    },
    async recover() {
      fault = undefined;
      if (!server.listening) await listening(server, backend);
    },
  };
}

/** Takes requests and never answers. */
export function startHung(at: Listen = ANYWHERE): Promise<MetricsBackend> {
  return listening(
    createServer(() => {}),
    at,
  );
}

async function listening(server: Server, { host, port }: Listen = ANYWHERE): Promise<MetricsBackend> {
  await once(server.listen(port, host), 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => stopListening(server),
  };
}

async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Makes a pod as the operator's Deployments do, as far as the metrics API looks. */
export async function createMetricsPod(
  ref: { readonly namespace: string; readonly name: string },
  service: string,
  port: number,
): Promise<AnyObject> {
  return await testApi().create(RESOURCES.pods, {
    metadata: { ...ref, labels: metricsPodLabels(service) },
    spec: metricsPodSpec(port),
  });
}

export function metricsPodLabels(service: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/managed-by': 'modelservice-operator', 'modelservice.dev/name': service };
}

export function metricsPodSpec(port: number): object {
  // No node is here, and nothing should look for one.
  return {
    schedulerName: 'none',
    containers: [{ name: 'server', image: 'x', ports: [{ name: 'metrics', containerPort: port }] }],
  };
}
