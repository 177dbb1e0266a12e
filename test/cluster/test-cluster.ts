import type { AuditEvent } from './audit-log.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { Components } from './control-plane.ts';

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly name: string;
}

export interface KubeconfigOptions {
  /** Where the kubeconfig points. Default: the API server itself; a suite names a proxy of its own here. */
  readonly server?: string | undefined;
}

/** A real API server with the controllers, for the duration of a test run. */
export interface TestCluster extends AsyncDisposable {
  /** What a person is told: which cluster this is, and its version. */
  readonly description: string;
  /** As `/version` says it, for example `v1.36.3`. */
  readonly version: string;
  /** URL of the API server. */
  readonly server: string;
  /** PEM of what vouches for its certificate; undefined where a public authority does. */
  readonly ca: string | undefined;
  /** Its certificate is not verified: a kubeconfig with `insecure-skip-tls-verify`. */
  readonly skipTLSVerify: boolean;
  /** By which name the API server reaches this machine; absent where it does not. */
  readonly hostAddress?: string;
  /** The kubeconfig of an administrator. */
  readonly kubeconfigPath: string;
  /** Calls as that administrator. */
  readonly client: ClusterClient;
  /** Whether the cluster ends with the run, so that what suites leave behind needs no cleaning up. */
  readonly ephemeral: boolean;
  /** Its parts; absent where they are not ours to kill. */
  readonly components?: Components;
  /** A token of a service account, from the TokenRequest API, good for an hour. */
  tokenFor(account: ServiceAccountRef): Promise<string>;
  /** Path of a kubeconfig that acts as a service account; lives as long as the cluster object. */
  kubeconfigFor(account: ServiceAccountRef, options?: KubeconfigOptions): Promise<string>;
  /** Every request so far, oldest first; undefined where the cluster does not let us read its audit log. */
  readonly auditEvents: (() => Promise<readonly AuditEvent[]>) | undefined;
  stop(): Promise<void>;
}

/** Receives one line for a person at a time. */
export type ClusterLog = (line: string) => void;
