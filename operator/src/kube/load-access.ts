import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { clientNodeAccess } from './client-node-access.ts';
import type { ClusterAccess } from './credentials.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { type PlainCluster, plainAccess } from './plain-access.ts';

const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where a cluster is looked for, in this order: KUBECONFIG, `.kube/config` in HOME, the pod's own service account. */
export type AccessEnvironment = Readonly<
  Partial<Record<'KUBECONFIG' | 'HOME' | 'KUBERNETES_SERVICE_HOST' | 'KUBERNETES_SERVICE_PORT', string>>
>;

/**
 * The cluster that `env` leads to. client-node is loaded only for a kubeconfig that needs it: it costs each process
 * some 80 MB of memory. Rejects where a file cannot be read, or nothing leads to a cluster.
 *
 * @param serviceAccountFolder where a pod has its token and its cluster's authority
 */
export async function loadAccess(
  env: AccessEnvironment,
  serviceAccountFolder: string = SERVICE_ACCOUNT_FOLDER,
): Promise<ClusterAccess> {
  const [path, ...further] = (env.KUBECONFIG ?? '').split(delimiter).filter((name) => name !== '');
  if (path === undefined) {
    const own = env.HOME === undefined ? undefined : join(env.HOME, '.kube', 'config');
    if (own !== undefined && existsSync(own)) return await accessOfFile(own);
    const inCluster = inClusterOf(env, serviceAccountFolder);
    if (inCluster !== undefined) return plainAccess(inCluster);
    throw new Error('no cluster is known: name a kubeconfig in KUBECONFIG, or run in a pod with a service account');
  }
  return further.length === 0
    ? await accessOfFile(path)
    : await clientNode((kubeConfig) => kubeConfig.loadFromDefault());
}

async function accessOfFile(path: string): Promise<ClusterAccess> {
  const plain = readKubeconfig(await readFile(path, 'utf8'), path);
  return plain === undefined ? await clientNode((kubeConfig) => kubeConfig.loadFromFile(path)) : plainAccess(plain);
}

type KubeConfig = Parameters<typeof clientNodeAccess>[0];

async function clientNode(load: (kubeConfig: KubeConfig) => void): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  load(kubeConfig);
  return clientNodeAccess(kubeConfig);
}

function inClusterOf(
  { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: AccessEnvironment,
  folder: string,
): PlainCluster | undefined {
  if (host === undefined || port === undefined) return undefined;
  return {
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    ca: { file: join(folder, 'ca.crt') },
    token: { file: join(folder, 'token') },
  };
}
