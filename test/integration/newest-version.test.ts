import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { IN_FLIGHT, metricReadTargets } from './support/autoscaling.ts';
import { startBusyService } from './support/busy-service.ts';
import { eventually } from './support/eventually.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { createServedPods } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

const NEWER = { name: 'v1beta2.custom.metrics.k8s.io' };

describe('The stock autoscaler', function () {
  this.timeout(240_000);
  const namespace = useNamespace('newest-version');
  useMetricsApi(namespace);
  useOperator(() => ({ namespaces: [namespace()] }));
  const servers = createServedPods(namespace);
  after(() => servers[Symbol.asyncDispose]());

  // Why a provider of any version beside ours would take over its metrics, or ours those of others.
  it('asks the newest version that anybody serves, and turns to a newer one that appears', async () => {
    const { ref } = await startBusyService({ namespace: namespace(), name: 'digits' }, servers);
    const asks = async (version: string, sinceMs: number): Promise<readonly string[]> =>
      await eventually(() => metricReadTargets(ref, sinceMs), {
        because: `the autoscaler asks ${version}`,
        until: (targets) => targets.at(-1)?.startsWith(`/apis/custom.metrics.k8s.io/${version}/`) ?? false,
        deadlineMs: 90_000,
        intervalMs: 500,
      });
    const [target] = await asks('v1beta2', 0);
    assert.match(target ?? '', new RegExp(`/namespaces/${namespace()}/pods/%2A/${IN_FLIGHT}\\?labelSelector=`));

    const { spec } = await testApi().get(RESOURCES.apiServices, NEWER);
    const removed = Date.now();
    await testApi().delete(RESOURCES.apiServices, NEWER);
    await asks('v1beta1', removed);
    const added = Date.now();
    await testApi().create(RESOURCES.apiServices, { metadata: NEWER, spec });
    await asks('v1beta2', added);
  });
});
