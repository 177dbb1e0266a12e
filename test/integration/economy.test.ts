import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.ts';
import { follow } from './support/follow.ts';
import { useKubeClient } from './support/kube-client.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount } from './support/operator-account.ts';
import { makePodReady } from './support/ready-pods.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

describe('The writes of an operator', () => {
  const namespace = useNamespace('economy');
  const client = useKubeClient();
  let proxy: FaultProxy;

  before('start the proxy', async () => {
    proxy = await startFaultProxy(testCluster());
  });
  after('stop the proxy', () => proxy?.stop());

  useOperator(async () => {
    const account = await createOperatorAccount(namespace());
    const kubeconfig = await testCluster().kubeconfigFor(account, { server: proxy.url });
    return { kubeconfig, namespaces: [namespace()] };
  });

  it('make each child once, and its size, and nobody looks first for what may be there', async () => {
    const before = proxy.calls.length;
    const scaled = {
      server: { resources: { requests: { cpu: '100m' } } },
      scaling: { minReplicas: 2, maxReplicas: 5 },
    };
    await applyManifest(namespace(), modelService('made', scaled));
    await carriedOut('made', '');
    assert.deepEqual(childWrites('made').toSorted(), [
      'deployments',
      'deployments',
      'horizontalpodautoscalers',
      'poddisruptionbudgets',
      'services',
    ]);
    const reads = proxy.calls
      .slice(before)
      .filter(({ kind, resource }) => (kind === 'get' || kind === 'list') && resource !== 'leases');
    assert.deepEqual(
      reads.map(({ path }) => path),
      [],
    );
  });

  it('tell the status a few times, once for each cause, until the service is ready', async () => {
    const causes = new Set<string>();
    const ready = Promise.withResolvers<void>();
    const stop = new AbortController();
    const seen = (service: AnyObject): void => {
      const { status = '', reason = '' } = conditionOf(service, 'Ready') ?? {};
      if (service.metadata.name !== 'told' || status === '') return;
      if (status === 'True') ready.resolve();
      else if (reason !== 'PodsStarting') causes.add(reason);
    };
    const following = follow(client(), RESOURCES.modelServices, namespace(), seen, stop.signal);
    await applyManifest(namespace(), modelService('told'));
    const labelSelector = 'modelservice.dev/name=told';
    const pods = await eventually(() => testApi().list(RESOURCES.pods, { namespace: namespace(), labelSelector }), {
      because: 'it has a pod',
      until: ({ length }) => length > 0,
    });
    await Promise.all(pods.map(makePodReady));
    await ready.promise;
    stop.abort();
    await following;
    const told = proxy.writes().filter(({ name, path }) => name === 'told' && path.endsWith('/status'));
    // One more where the pod is seen ready before its Deployment counts it, which is a matter of moments.
    assert.ok(told.length <= 3 + causes.size, `${told.length} writes for ${[...causes].join(', ')}`);
  });

  it('carry out each change once, also while the watch of Deployments is behind', async () => {
    await applyManifest(namespace(), withValue(''));
    await carriedOut('behind', '');
    proxy.inject({ on: 'watch', resource: 'deployments', fault: { kind: 'silence' } });
    const before = childWrites('behind').length;
    for (const value of ['one', 'two', 'three']) {
      await applyManifest(namespace(), withValue(value));
      await carriedOut('behind', value);
    }
    assert.deepEqual(childWrites('behind').slice(before), ['deployments', 'deployments', 'deployments']);
  });

  /** The children that were written, one entry for each write. */
  function childWrites(name: string): readonly string[] {
    const writes = proxy.writes().filter((call) => call.name === name && call.resource !== 'modelservices');
    return writes.map(({ resource }) => resource);
  }

  /** Waits until the operator has written the Deployment and, after it, the status. */
  async function carriedOut(name: string, value: string): Promise<void> {
    const ref = { namespace: namespace(), name };
    await awaitObject('modelServices', ref, {
      because: 'its status is of its newest spec',
      until: ({ metadata, status }) => status?.observedGeneration === metadata.generation,
    });
    const env = ['spec', 'template', 'spec', 'containers', 0, 'env', 1, 'value'] as const;
    await awaitObject('deployments', ref, {
      because: `the Deployment carries "${value}"`,
      until: (deployment) => (field(deployment, ...env) ?? '') === value,
    });
  }
});

function withValue(value: string): ReturnType<typeof modelService> {
  return modelService('behind', { server: { env: [{ name: 'VALUE', value }] } });
}
