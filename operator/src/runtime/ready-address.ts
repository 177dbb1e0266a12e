import type { KubeObject } from '../kube/types.ts';

/** What is read of a pod in order to call it. */
export interface CallablePod extends KubeObject {
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Where something listens. */
export interface IpAddress {
  /** IPv4 or IPv6, without brackets. */
  readonly ip: string;
  readonly port: number;
}

/** Where a container's named port is called; undefined while the pod is not ready or ends, or has no such port. */
export function readyAddress(
  pod: CallablePod,
  wanted: { readonly container: string; readonly port: string },
): IpAddress | undefined {
  // A container that somebody's webhook adds may have ports of the same names.
  const container = pod.spec.containers.find(({ name }) => name === wanted.container);
  const port = container?.ports?.find(({ name }) => name === wanted.port)?.containerPort;
  const ip = pod.status?.podIP;
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const answers = ready && pod.metadata.deletionTimestamp === undefined && ip !== undefined && port !== undefined;
  return answers ? { ip, port } : undefined;
}

/** As a URL has it: `10.0.0.1:8080`, `[fd00::1]:8080`. */
export function hostAndPort({ ip, port }: IpAddress): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}
