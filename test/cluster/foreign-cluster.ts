import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { clientFromKubeconfig } from './cluster-client.ts';
import { serverVersion } from './local-cluster.ts';
import { serviceAccountAccess } from './service-account-access.ts';
import type { TestCluster } from './test-cluster.ts';

export interface ForeignClusterOptions {
  readonly kubeconfigPath: string;
  /** How it is described: `named by …`. */
  readonly origin: string;
  readonly ephemeral: boolean;
  /** Called at the end; not when this function itself fails. */
  readonly stop: () => Promise<void>;
}

/** A cluster that somebody else started and that a kubeconfig reaches. */
export async function foreignCluster(options: ForeignClusterOptions): Promise<TestCluster> {
  const { kubeconfigPath, origin, ephemeral } = options;
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfigPath, 'utf8'));
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`its current context names no cluster`);
  const client = await clientFromKubeconfig(kubeconfigPath);
  const folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
  const cleanUp = async () => {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  };
  const stop = async () => {
    await cleanUp();
    await options.stop();
  };
  try {
    const version = await serverVersion(client);
    const ca = await authority(cluster);
    const { server, skipTLSVerify } = cluster;
    return {
      description: `Kubernetes ${version} at ${cluster.server}, ${origin}`,
      version,
      server,
      ca,
      skipTLSVerify,
      kubeconfigPath,
      client,
      ephemeral,
      ...serviceAccountAccess(client, { server, ca, skipTLSVerify }, folder),
      auditEvents: undefined,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function authority(cluster: { readonly caData?: string; readonly caFile?: string }): Promise<string | undefined> {
  if (cluster.caData !== undefined) return Buffer.from(cluster.caData, 'base64').toString('utf8');
  return cluster.caFile === undefined ? undefined : await readFile(cluster.caFile, 'utf8');
}
