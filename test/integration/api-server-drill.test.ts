import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, describe, it } from 'mocha';
import { awaitMetricReads, everShrank } from './support/autoscaling.ts';
import { awaitSize, growsAgain, startBusyService } from './support/busy-service.ts';
import { awaitCondition, awaitObject } from './support/children.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { createOperatorAccount } from './support/operator-account.ts';
import { awaitLeading, startOperator } from './support/operator-process.ts';
import { useClusterOfItsOwn } from './support/own-cluster.ts';
import { RESOURCES } from './support/resource-types.ts';
import { createServedPods } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi, testCluster } from './support/test-run.ts';

/** For how long the API server is away beyond the end of the leader. `MODELSERVICE_TEST_OUTAGE_SECONDS=60` is for a person. */
const OUTAGE_SECONDS = Number(process.env.MODELSERVICE_TEST_OUTAGE_SECONDS ?? '0');
const LEASE = ['--leader-elect-lease-duration=20s', '--leader-elect-renew-deadline=18s'];

describe('While the API server is away', function () {
  this.timeout(300_000 + OUTAGE_SECONDS * 1000);
  useClusterOfItsOwn();

  describe('scaling on requests', () => {
    const namespace = useNamespace('api-server-drill');
    useMetricsApi(namespace);
    useOperator(() => ({ namespaces: [namespace()] }));
    const servers = createServedPods(namespace);
    after(() => servers[Symbol.asyncDispose]());

    it('never makes a service smaller, and goes on when it is back', async () => {
      const service = await startBusyService({ namespace: namespace(), name: 'digits' }, servers);
      const { ref, pods, history } = service;
      const { components } = testCluster();
      assert.ok(components);
      for (let crash = 0; crash < 2; crash++) {
        // An API server that starts does not know what was before.
        await history.sizes();
        await components.apiServer.kill();
        const down = Date.now();
        await components.apiServer.start();
        await awaitMetricReads(ref, down, 4);
        assert.deepEqual(new Set(await history.sizes()), new Set([3]));
      }
      await awaitCondition(ref, 'AutoscalingActive', 'True', 'MetricsRead', 60_000);

      await history.sizes();
      await components.apiServer.kill();
      for (const pod of pods) pod.heldForLong(5);
      await components.apiServer.start();
      await growsAgain(service);
      assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);
      for (const pod of await servers.start(ref.name, 5)) pod.heldForLong(0);
      await awaitSize(ref, 1, 'without load there is one pod');
    });
  });

  describe('two operators', () => {
    const namespace = useNamespace('outage');

    it('end or wait when it is away for longer than the lease, and are as before when it is back', async () => {
      const account = await createOperatorAccount(namespace());
      const start = async () =>
        await startOperator({
          kubeconfig: await testCluster().kubeconfigFor(account),
          namespaces: [namespace()],
          args: LEASE,
        });
      const { components } = testCluster();
      assert.ok(components);
      const ref = { namespace: namespace(), name: 'digits' };
      const state = async () => {
        const deployment = await testApi().get(RESOURCES.deployments, ref);
        return { uid: deployment.metadata.uid, generation: deployment.metadata.generation };
      };
      const carriedOut = () =>
        awaitObject('modelServices', ref, {
          because: 'its status speaks of its present spec',
          until: ({ metadata, status }) => status?.observedGeneration === metadata.generation,
          deadlineMs: 120_000,
        });
      await using leader = await start();
      await awaitLeading(leader);
      await using standby = await start();
      await applyManifest(namespace(), modelService('digits'));
      await carriedOut();
      const before = await state();

      await components.apiServer.kill();
      assert.equal(await leader.exited, 'exit status 1');
      await delay(OUTAGE_SECONDS * 1000);
      await components.apiServer.start();
      await awaitLeading(standby);
      // As its kubelet would.
      await using again = await start();
      assert.deepEqual(await state(), before);
      await applyManifest(namespace(), modelService('digits', { server: { env: [{ name: 'LATER', value: 'yes' }] } }));
      await carriedOut();
      assert.equal((await state()).uid, before.uid);
      assert.equal(await again.stop(), 'exit status 0');
      assert.equal(await standby.stop(), 'exit status 0');
    });
  });
});
