import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { awaitMetricReads, everShrank } from './support/autoscaling.ts';
import { awaitSize, growsAgain, startBusyService } from './support/busy-service.ts';
import { awaitCondition } from './support/children.ts';
import { useNamespace } from './support/namespaces.ts';
import { useClusterOfItsOwn } from './support/own-cluster.ts';
import { createServedPods } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testCluster } from './support/test-run.ts';

describe('Scaling on requests while the API server crashes', function () {
  this.timeout(240_000);
  useClusterOfItsOwn();
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
