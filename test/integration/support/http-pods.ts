// Pods that answer requests: real objects, reported ready by hand, and a real HTTP server behind them.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../cluster/free-port.ts';
import { reportReady } from './kubelet.ts';
import { metricsPodLabels } from './metrics-pods.ts';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi } from './test-run.ts';

export interface HttpPod extends AsyncDisposable {
  /** Its kubelet reports it ready. */
  ready(): Promise<void>;
}

/** @param answer what the pod's server does; undefined: nobody listens, and connections are refused */
export async function createHttpPod(
  ref: { readonly namespace: string; readonly name: string },
  service: string,
  answer: RequestListener | undefined,
): Promise<HttpPod> {
  const server = answer === undefined ? undefined : createServer({ requestTimeout: 0 }, answer);
  if (server !== undefined) await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = server === undefined ? await freePort() : (server.address() as AddressInfo).port;
  const pod: AnyObject = await testApi().create(RESOURCES.pods, {
    metadata: { ...ref, labels: metricsPodLabels(service) },
    spec: {
      // No node is here, and nothing should look for one.
      schedulerName: 'none',
      containers: [{ name: 'server', image: 'x', ports: [{ name: 'http', containerPort: port }] }],
    },
  });
  return {
    async ready() {
      await reportReady(pod);
    },
    async [Symbol.asyncDispose]() {
      await testApi().delete(RESOURCES.pods, ref);
      server?.closeAllConnections();
      server?.close();
    },
  };
}
