import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Intent } from '../kube/types.ts';
import { systemClock } from '../runtime/clock.ts';
import type { BackendPod } from './backend-pod.ts';
import type { ModelService } from './contract.ts';
import { Holding } from './holding.ts';
import { Listeners } from './listeners.ts';

export const SERVICE = 'n/digits';
const log = pino({ level: 'silent' });

/** A pod of a service whose server really answers, or refuses the connection where there is no listener. */
export interface TestPod extends AsyncDisposable {
  readonly pod: BackendPod;
  readonly server: Server;
}

export async function startPod(name: string, answer: RequestListener): Promise<TestPod> {
  const server = createServer(answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    server,
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'n', name, uid: name, resourceVersion: '1' },
      address: { ip: '127.0.0.1', port },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A gateway for one service, without a cluster: who is ready is what a test says. */
export async function startTestGateway(
  limits = { holdTimeoutMs: 60_000, maxHeldRequests: 100 },
): Promise<TestGateway & AsyncDisposable> {
  const wakes: string[] = [];
  const services = new Map<string, ModelService>();
  let pods: readonly BackendPod[] = [];
  const registry = new Registry();
  const holding = new Holding({
    api: {
      async apply<T>(_: unknown, intent: Intent) {
        return intent as unknown as T;
      },
    },
    services: { get: (key) => services.get(key), list: () => [...services.values()], byIndex: () => [] },
    podsOf: (service) => (service === SERVICE ? pods : []),
    registry,
    limits,
    clock: systemClock,
    log,
    askToWake: (service) => wakes.push(service),
  });
  const listeners = new Listeners({
    host: '127.0.0.1',
    onRequest: holding.take,
    log,
    clock: systemClock,
    random: Math.random,
  });
  const gateway: TestGateway = {
    holding,
    registry,
    port: await freePort(),
    wakes,
    setPods(now) {
      pods = now;
      holding.review(SERVICE);
    },
    setService(status) {
      const metadata = { namespace: 'n', name: 'digits', uid: 'u', resourceVersion: '1' };
      if (status === undefined) services.delete(SERVICE);
      else services.set(SERVICE, { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService', metadata, status });
      holding.review(SERVICE);
    },
  };
  gateway.setService({ scaling: { state: 'Idle' } });
  listeners.want({ service: SERVICE, port: gateway.port, since: '' });
  listeners.start();
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      listeners.stop();
      holding.cut();
      await holding.idle();
    },
  };
}

export interface TestGateway {
  readonly holding: Holding;
  readonly registry: Registry;
  readonly port: number;
  /** Each time that a service was to be woken. */
  readonly wakes: readonly string[];
  setPods(pods: readonly BackendPod[]): void;
  /** undefined: there is no such ModelService. */
  setService(status: ModelService['status']): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
