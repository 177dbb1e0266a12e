import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { describeAuditEvent, writesBy } from '../cluster/audit-log.ts';
import { serviceAccountAccess } from '../cluster/service-account-access.ts';
import { eventually } from './support/eventually.ts';
import { startFaultProxy } from './support/fault-proxy.ts';
import { KubectlError, kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { testApi, testCluster } from './support/test-run.ts';

describe('the test cluster', () => {
  const namespace = useNamespace('cluster');

  it('runs the controllers: a Deployment gets its pods, and its deletion removes them', async () => {
    const api = testApi();
    const labels = { app: 'probe' };
    await api.create(RESOURCES.deployments, {
      metadata: { name: 'probe', namespace: namespace() },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'probe', image: 'probe:none' }] } },
      },
    });
    const pods = () => api.list(RESOURCES.pods, { namespace: namespace(), labelSelector: 'app=probe' });
    await eventually(pods, { because: 'the Deployment has a pod', until: ({ length }) => length === 1 });
    await api.delete(RESOURCES.deployments, { namespace: namespace(), name: 'probe' });
    await eventually(pods, { because: 'the pod is garbage collected', until: ({ length }) => length === 0 });
  });

  it('is reached by the real kubectl, which says what the API server refuses', async () => {
    const name = await kubectl(['get', 'namespace', namespace(), '-o', 'jsonpath={.metadata.name}']);
    assert.equal(name, namespace());
    const service = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'UPPER' }, spec: {} });
    await assert.rejects(
      kubectl(['apply', '-n', namespace(), '-f', '-'], { input: service }),
      (error) => error instanceof KubectlError && /metadata\.name: Invalid value: "UPPER"/.test(error.message),
    );
  });

  it('lets a test act as a service account, with the rights of that account', async () => {
    const kubeconfig = await testCluster().kubeconfigFor({ namespace: namespace(), name: 'default' });
    const whoami = await kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig });
    assert.equal(whoami, `system:serviceaccount:${namespace()}:default`);
    await assert.rejects(kubectl(['get', 'nodes'], { kubeconfig }), /forbidden/i);
  });

  it('is reached as a service account and through a proxy also where nobody vouches for its certificate', async () => {
    const account = { namespace: namespace(), name: 'default' };
    const folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
    try {
      const cluster = { ...testCluster(), ca: undefined, skipTLSVerify: true };
      await using proxy = await startFaultProxy(cluster);
      const { kubeconfigFor } = serviceAccountAccess(testCluster().client, cluster, folder);
      assert.equal((await fetch(`${proxy.url}/readyz`)).status, 200);
      const kubeconfig = await kubeconfigFor(account);
      const whoami = await kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig });
      assert.equal(whoami, `system:serviceaccount:${namespace()}:default`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('counts the write requests of one user, where it has an audit log', async () => {
    const { auditEvents, kubeconfigFor } = testCluster();
    if (auditEvents === undefined) return;
    const kubeconfig = await kubeconfigFor({ namespace: namespace(), name: 'default' });
    await kubectl(['get', 'configmaps', '-n', namespace()], { kubeconfig }).catch(() => '');
    await kubectl(['create', 'configmap', 'refused', '-n', namespace()], { kubeconfig }).catch(() => '');
    const user = `system:serviceaccount:${namespace()}:default`;
    const configMapWrites = async () =>
      writesBy(await auditEvents(), user).filter(({ objectRef }) => objectRef?.resource === 'configmaps');
    const writes = await eventually(configMapWrites, {
      because: 'the audit log holds the write',
      until: ({ length }) => length > 0,
    });
    assert.deepEqual(writes.map(describeAuditEvent), [`create configmaps ${namespace()} -> 403`]);
  });
});
