import assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { installScaledObject } from './support/keda-definitions.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const CPU = { server: { resources: { requests: { cpu: '100m' } } } };
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' };
const MODEL_SERVICE = { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService' };

describe("A ModelService that somebody else's autoscaler scales", function () {
  this.timeout(180_000);
  const namespace = useNamespace('outside');
  useOperator(() => ({
    namespaces: [namespace()],
    metrics: { provider: 'builtin' },
    apiVersions: ['keda.sh/v1alpha1'],
  }));
  const named = (name: string) => ({ namespace: namespace(), name });
  let definitions: AsyncDisposable | undefined;
  after(async () => await definitions?.[Symbol.asyncDispose]());

  /** Their own autoscaler: without metrics to read, it still brings a size within its bounds. */
  const scaledByThem = (target: object, name: string, minReplicas: number): Promise<AnyObject> =>
    testApi().create(RESOURCES.horizontalPodAutoscalers, {
      metadata: named('theirs'),
      spec: { scaleTargetRef: { ...target, name }, minReplicas, maxReplicas: 6, metrics: CPU_METRICS },
    });
  const takeTheirsAway = (): Promise<void> => testApi().delete(RESOURCES.horizontalPodAutoscalers, named('theirs'));

  async function awaitSize(name: string, size: number, because: string): Promise<void> {
    await awaitObject('deployments', named(name), {
      because,
      until: (deployment) => field(deployment, 'spec', 'replicas') === size,
      deadlineMs: 90_000,
    });
  }

  it('leaves the size of the Deployment to it, says so, and takes it back afterwards', async () => {
    await applyManifest(namespace(), modelService('fixed', { ...CPU, scaling: { minReplicas: 2 } }));
    await awaitSize('fixed', 2, 'it has its fixed size');
    await scaledByThem(DEPLOYMENT, 'fixed', 3);
    await awaitSize('fixed', 3, 'their autoscaler set its least');
    const object = await awaitCondition(named('fixed'), 'AutoscalingActive', 'False', 'OutsideAutoscaler');
    assert.match(
      conditionOf(object, 'AutoscalingActive')?.message ?? '',
      /^HorizontalPodAutoscaler theirs sets the size of Deployment fixed, .*: delete it, or have it scale the ModelService/,
    );
    assert.equal(field(object, 'status', 'scaling', 'state'), 'Outside');

    // Whatever the operator does next with the Deployment, the size is none of it.
    await applyManifest(namespace(), modelService('fixed', { ...CPU, scaling: { minReplicas: 4 } }));
    await applyManifest(namespace(), modelService('fixed', { ...CPU, pod: { labels: { touched: 'yes' } } }));
    const touched = await awaitObject('deployments', named('fixed'), {
      because: 'it carries the new label',
      until: (deployment) => field(deployment, 'spec', 'template', 'metadata', 'labels', 'touched') === 'yes',
    });
    assert.equal(field(touched, 'spec', 'replicas'), 3);

    await takeTheirsAway();
    await awaitSize('fixed', 1, 'it has its fixed size again');
    await awaitObject('modelServices', named('fixed'), {
      because: 'nothing is said of autoscaling any more',
      until: (service) => conditionOf(service, 'AutoscalingActive') === undefined,
    });
  });

  it('does without its own autoscaler meanwhile', async () => {
    await applyManifest(namespace(), modelService('scaled', { ...CPU, scaling: { maxReplicas: 5 } }));
    await awaitObject('horizontalPodAutoscalers', named('scaled'), { because: 'it has its own' });
    await scaledByThem(DEPLOYMENT, 'scaled', 3);
    await eventually(() => testApi().find(RESOURCES.horizontalPodAutoscalers, named('scaled')), {
      because: 'its own is gone',
      until: (own) => own === undefined,
    });
    await awaitCondition(named('scaled'), 'AutoscalingActive', 'False', 'OutsideAutoscaler');
    await awaitSize('scaled', 3, 'theirs set its least');
    await takeTheirsAway();
    await awaitObject('horizontalPodAutoscalers', named('scaled'), { because: 'it has its own again' });
    assert.equal(field(await testApi().get(RESOURCES.deployments, named('scaled')), 'spec', 'replicas'), 3);
  });

  it('follows one that scales the ModelService, and says where that does not go together with its own', async () => {
    await applyManifest(namespace(), modelService('followed', CPU));
    await awaitSize('followed', 1, 'it has its fixed size');
    await scaledByThem(MODEL_SERVICE, 'followed', 2);
    await awaitSize('followed', 2, 'the size follows spec.scaling.minReplicas');
    const object = await awaitCondition(named('followed'), 'AutoscalingActive', 'True', 'ScaledFromOutside');
    assert.equal(field(object, 'status', 'scaling', 'state'), 'Fixed');
    await testApi().mergePatch(RESOURCES.modelServices, named('followed'), { spec: { scaling: { maxReplicas: 4 } } });
    const both = await awaitCondition(named('followed'), 'AutoscalingActive', 'False', 'OutsideAutoscaler');
    assert.match(conditionOf(both, 'AutoscalingActive')?.message ?? '', /or leave out spec\.scaling\.maxReplicas/);
    await takeTheirsAway();
  });

  it('knows a ScaledObject of KEDA as well', async () => {
    definitions = await installScaledObject();
    await testApi().create(RESOURCES.scaledObjects, {
      metadata: named('theirs'),
      spec: { scaleTargetRef: { name: 'fixed' }, triggers: [{ type: 'cpu', metadata: { value: '50' } }] },
    });
    const object = await awaitCondition(named('fixed'), 'AutoscalingActive', 'False', 'OutsideAutoscaler', 60_000);
    assert.match(conditionOf(object, 'AutoscalingActive')?.message ?? '', /^ScaledObject theirs sets the size/);
  });
});

const CPU_METRICS = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
];
