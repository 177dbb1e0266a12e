import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ClusterClient } from './cluster-client.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { ServiceAccountRef, TestCluster } from './test-cluster.ts';

const TOKEN_LIFETIME_SECONDS = 3600;

/** Acting as a service account, the way in which a pod would: by a token from the TokenRequest API. */
export function serviceAccountAccess(
  client: ClusterClient,
  cluster: Pick<TestCluster, 'server' | 'ca' | 'skipTLSVerify'>,
  folder: string,
): Pick<TestCluster, 'tokenFor' | 'kubeconfigFor'> {
  const tokenFor = async ({ namespace, name }: ServiceAccountRef): Promise<string> => {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: TOKEN_LIFETIME_SECONDS },
    };
    const answer = await client.request('POST', path, { body });
    if (answer.status !== 201) {
      throw new Error(
        `Could not get a token for ${namespace}/${name}: ${answer.status} ${JSON.stringify(answer.body)}`,
      );
    }
    return (answer.body as { status: { token: string } }).status.token;
  };
  return {
    tokenFor,
    async kubeconfigFor(account, options = {}) {
      const unique = randomBytes(4).toString('hex');
      const path = join(folder, `${account.namespace}-${account.name}-${unique}.kubeconfig`);
      await writeKubeconfig(path, {
        ...cluster,
        server: options.server ?? cluster.server,
        token: await tokenFor(account),
      });
      return path;
    },
  };
}
