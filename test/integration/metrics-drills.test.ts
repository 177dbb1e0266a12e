import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { awaitMetricReads, everShrank, metricValues } from './support/autoscaling.ts';
import { awaitSize, growsAgain, MOST, sizeOf, startBusyService } from './support/busy-service.ts';
import { awaitCondition, conditionOf } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { useNamespace } from './support/namespaces.ts';
import { createServedPods } from './support/served-pods.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { useOperator } from './support/suite-operator.ts';

/** So many looks of the autoscaler show what it makes of a failure. */
const LOOKS = 4;

describe('Scaling on requests while pods fail', function () {
  this.timeout(240_000);
  const namespace = useNamespace('pod-drills');
  useMetricsApi(namespace);
  useOperator(() => ({ namespaces: [namespace()] }));
  const servers = createServedPods(namespace);
  after(() => servers[Symbol.asyncDispose]());

  for (const { fault, what } of [
    { fault: 'hangs', what: 'takes requests and never answers' },
    { fault: 'trickles', what: 'begins an answer that never ends' },
    { fault: 'refuses', what: 'has died and refuses connections' },
  ] as const) {
    it(`goes on without a pod that ${what}`, async () => {
      const { ref, pods, history } = await startBusyService({ namespace: namespace(), name: fault }, servers);
      const since = Date.now();
      await pods[0].fail(fault);
      await eventually(() => metricValues(ref), {
        because: 'the pod is left out, and not as zero',
        until: (values) => values.length === 2 && values.every((value) => value > 1.9),
      });
      await awaitMetricReads(ref, Date.now(), LOOKS);
      assert.equal(await sizeOf(ref), 3, 'as zero it would have been taken for a reason to remove a pod');

      for (const pod of pods) pod.heldForLong(5);
      await awaitSize(ref, MOST, 'two pods with five in flight each, one idle for all that is known, ask for five');
      await servers.start(ref.name, MOST);
      await pods[0].recover();
      await eventually(() => metricValues(ref), {
        because: 'the pod is counted again as soon as it answers',
        until: (values) => values.length === MOST,
        deadlineMs: 60_000,
      });
      const codes = await awaitMetricReads(ref, since, LOOKS);
      assert.ok(
        codes.every((code) => code === 200),
        `its reads were answered ${codes}`,
      );
      assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);

      for (const pod of await servers.start(ref.name, MOST)) pod.heldForLong(0);
      await awaitSize(ref, 1, 'without load there is one pod');
    });
  }

  it('keeps the size while no pod answers, says so, and goes on when they do', async () => {
    const service = await startBusyService({ namespace: namespace(), name: 'all-hang' }, servers);
    const { ref, pods, history } = service;
    for (const pod of pods) await pod.fail('hangs');
    const object = await awaitCondition(ref, 'AutoscalingActive', 'False', 'PodsSilent', 60_000);
    assert.match(conditionOf(object, 'AutoscalingActive')?.message ?? '', /size stays as it is/);
    await awaitMetricReads(ref, Date.now(), LOOKS);
    assert.equal(await sizeOf(ref), 3);

    for (const pod of pods) await pod.recover();
    await awaitCondition(ref, 'AutoscalingActive', 'True', 'MetricsRead', 60_000);
    await growsAgain(service);
    assert.ok(!everShrank(await history.sizes()), `sizes: ${await history.sizes()}`);
  });
});
