// Debian builds its Prometheus without Kubernetes' service discovery. Its HTTP discovery takes the same labels from
// here, so that scrape configs for pods are relabelled by the real thing.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi } from './test-run.ts';

export interface PodDiscovery extends AsyncDisposable {
  /** Stands in a scrape config where a cluster has `kubernetes_sd_configs: [{role: pod}]`. */
  readonly sdConfig: { readonly http_sd_configs: readonly object[] };
}

interface PodSpec {
  readonly containers: readonly {
    readonly name: string;
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  }[];
}

interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Tells Prometheus of the pods in `namespace`, as they are on the API server when it asks, each second. */
export async function startPodDiscovery(namespace: string): Promise<PodDiscovery> {
  const server = createServer((_, response) => {
    testApi()
      .list(RESOURCES.pods, { namespace })
      .then(
        (pods) => {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify(pods.flatMap(targetsOf)));
        },
        (error: unknown) => response.writeHead(503).end(String(error)),
      );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    sdConfig: { http_sd_configs: [{ url: `http://127.0.0.1:${port}/`, refresh_interval: '1s' }] },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** One target for each port of a pod that has an address, with the labels of the role `pod`. */
export function targetsOf({ metadata, spec, status }: AnyObject): readonly TargetGroup[] {
  const ip = status?.podIP;
  if (typeof ip !== 'string') return [];
  const ready = (status?.conditions as readonly { readonly type: string; readonly status: string }[] | undefined)?.find(
    ({ type }) => type === 'Ready',
  );
  const labels = {
    __meta_kubernetes_namespace: metadata.namespace ?? '',
    __meta_kubernetes_pod_name: metadata.name,
    __meta_kubernetes_pod_ip: ip,
    __meta_kubernetes_pod_phase: String(status?.phase ?? 'Unknown'),
    __meta_kubernetes_pod_ready: (ready?.status ?? 'unknown').toLowerCase(),
    __meta_kubernetes_pod_uid: metadata.uid ?? '',
    ...mapped('label', metadata.labels),
    ...mapped('annotation', metadata.annotations),
  };
  return (spec as unknown as PodSpec).containers.flatMap((container) =>
    (container.ports ?? []).map(({ name = '', containerPort }) => ({
      targets: [`${ip}:${containerPort}`],
      labels: {
        ...labels,
        __meta_kubernetes_pod_container_name: container.name,
        __meta_kubernetes_pod_container_port_name: name,
        __meta_kubernetes_pod_container_port_number: String(containerPort),
        __meta_kubernetes_pod_container_port_protocol: 'TCP',
      },
    })),
  );
}

function mapped(kind: string, entries: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => {
      const name = key.replace(/[^a-zA-Z0-9_]/g, '_');
      return [
        [`__meta_kubernetes_pod_${kind}_${name}`, value],
        [`__meta_kubernetes_pod_${kind}present_${name}`, 'true'],
      ];
    }),
  );
}
