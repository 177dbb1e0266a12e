import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { useClusterOfItsOwn } from './support/own-cluster.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi, testCluster } from './support/test-run.ts';

/** As an API server before 1.34 where nobody enabled it: one drops spec.resourceClaims of pods without a word. */
const WITHOUT_GATES = [
  '--emulated-version=1.34',
  '--feature-gates=DynamicResourceAllocation=false,DRAAdminAccess=false,DRAPrioritizedList=false,DRASchedulerFilterTimeout=false',
];

/** Ways in which a cluster lacks dynamic resource allocation: flags of its API server. */
const LACKING = {
  'that does not serve resource.k8s.io': [...WITHOUT_GATES, '--runtime-config=resource.k8s.io/v1=false'],
  'that serves it and drops the claims of pods': WITHOUT_GATES,
};

describe('A GPU by a resource claim', function () {
  this.timeout(240_000);
  useClusterOfItsOwn();
  const namespace = useNamespace('claims');
  const named = (name: string) => ({ namespace: namespace(), name });
  const manifest = (name: string) =>
    modelService(name, {
      gpu: { resourceClaim: 'gpu' },
      pod: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] },
    });

  for (const [index, [cluster, flags]] of Object.entries(LACKING).entries()) {
    describe(`in a cluster ${cluster}`, () => {
      const name = `claiming-${index}`;
      before(`restart the API server as one ${cluster}`, () => restartApiServer(flags));
      useOperator(() => ({
        namespaces: [namespace()],
        args: ['--server-image-tensorflow-gpu=modelservice-server:test-tensorflow-gpu'],
      }));

      it('makes no pod, says so, and makes them once the cluster can', async () => {
        await applyManifest(namespace(), manifest(name));
        const object = await awaitCondition(named(name), 'Stalled', 'True', 'ResourceClaimsNotServed');
        assert.match(conditionOf(object, 'Ready')?.message ?? '', /does not serve resource\.k8s\.io.* none are made/);
        assert.equal(await testApi().find(RESOURCES.deployments, named(name)), undefined);
        const pods = { namespace: namespace(), labelSelector: `modelservice.dev/name=${name}` };
        assert.deepEqual(await testApi().list(RESOURCES.pods, pods), []);

        await restartApiServer([]);
        await testApi().mergePatch(RESOURCES.modelServices, named(name), { metadata: { labels: { look: 'again' } } });
        const deployment = await awaitObject('deployments', named(name), {
          because: 'the pods are to be made',
          deadlineMs: 90_000,
        });
        assert.deepEqual(field(deployment, 'spec', 'template', 'spec', 'resourceClaims'), [
          { name: 'gpu', resourceClaimTemplateName: 'one-gpu' },
        ]);
        await awaitCondition(named(name), 'Stalled', 'False', 'NotStalled');
        await testApi().delete(RESOURCES.modelServices, named(name));
      });
    });
  }
});

async function restartApiServer(flags: readonly string[]): Promise<void> {
  const { components } = testCluster();
  assert.ok(components);
  await components.apiServer.kill();
  await components.apiServer.start(flags);
}
