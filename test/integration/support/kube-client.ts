import { after, before } from 'mocha';
import { KubeClient } from '../../../operator/src/kube/kube-client.ts';
import { loadAccess } from '../../../operator/src/kube/load-access.ts';
import { testCluster } from './test-run.ts';

/**
 * Gives the suite that calls it a KubeClient of the operator's, as administrator of the test cluster.
 *
 * @returns the client, for hooks and tests to ask once they run
 */
export function useKubeClient(): () => KubeClient {
  let client: KubeClient | undefined;
  before(async () => {
    const access = await loadAccess({ KUBECONFIG: testCluster().kubeconfigPath });
    client = new KubeClient({ access, userAgent: 'modelservice-tests' });
  });
  after(async () => await client?.close());
  return () => {
    if (client === undefined)
      throw new Error('The client exists from the suite\'s "before" hook on; ask for it later.');
    return client;
  };
}
