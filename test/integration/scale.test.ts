import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { awaitCondition, awaitObject, field } from './support/children.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import { testApi } from './support/test-run.ts';

const cpuRequest = { server: { resources: { requests: { cpu: '500m' } } } };

describe('The size of a ModelService', () => {
  const namespace = useNamespace('scale');
  useOperator(() => ({ namespaces: [namespace()] }));
  const named = (name: string) => ({ namespace: namespace(), name });
  const scale = (what: string, replicas: number): Promise<string> =>
    kubectl(['scale', '--namespace', namespace(), what, `--replicas=${replicas}`]);
  const suspend = (name: string, value: boolean): Promise<unknown> =>
    testApi().mergePatch(RESOURCES.modelServices, named(name), { spec: { suspend: value } });

  async function awaitSize(name: string, size: number): Promise<void> {
    await awaitObject('deployments', named(name), {
      because: `the Deployment's size is ${size} and its pods are made`,
      until: (object) =>
        field(object, 'spec', 'replicas') === size && (field(object, 'status', 'replicas') ?? 0) === size,
    });
  }

  /** Makes the operator look at the Deployment again, and waits until it has. */
  async function awaitAnotherLook(name: string): Promise<void> {
    const { metadata } = await testApi().mergePatch(RESOURCES.modelServices, named(name), {
      spec: { server: { logLevel: 'Debug' } },
    });
    await awaitObject('modelServices', named(name), {
      because: 'the status speaks of the new spec',
      until: (object) => field(object, 'status', 'observedGeneration') === metadata.generation,
    });
    await awaitObject('deployments', named(name), {
      because: 'the new spec is applied',
      until: (object) => JSON.stringify(object.spec).includes('Debug'),
    });
  }

  it('is set by kubectl scale, and told by /scale', async () => {
    await applyManifest(namespace(), modelService('fixed', { scaling: { minReplicas: 2 } }));
    await awaitSize('fixed', 2);
    await scale('msvc/fixed', 3);
    await awaitSize('fixed', 3);
    const told = await awaitObject('modelServices', named('fixed'), {
      because: 'the status tells 3 pods',
      until: (object) => field(object, 'status', 'replicas') === 3,
    });
    assert.equal(field(told, 'status', 'scaling', 'state'), 'Fixed');
    const answer = await testApi().get(RESOURCES.modelServices, named('fixed'), 'scale');
    assert.deepEqual(answer.status, { replicas: 3, selector: 'modelservice.dev/name=fixed' });
  });

  it('may be zero, and says how to come back', async () => {
    await applyManifest(namespace(), modelService('zero'));
    await awaitSize('zero', 1);
    await scale('msvc/zero', 0);
    await awaitSize('zero', 0);
    const object = await awaitCondition(named('zero'), 'Ready', 'False', 'ScaledToZero');
    assert.match(JSON.stringify(object.status), /kubectl scale msvc zero --replicas=1/);
  });

  it('is zero while suspended and then what was wanted, for a fixed size', async () => {
    await applyManifest(namespace(), modelService('paused', { scaling: { minReplicas: 2 } }));
    await awaitSize('paused', 2);
    await suspend('paused', true);
    await awaitSize('paused', 0);
    const suspended = await awaitCondition(named('paused'), 'Ready', 'False', 'Suspended');
    assert.equal(field(suspended, 'status', 'scaling', 'state'), 'Suspended');
    await suspend('paused', false);
    await awaitSize('paused', 2);
  });

  it('begins at the least of a scaled service and is then left to the autoscaler', async () => {
    await applyManifest(
      namespace(),
      modelService('scaled', { ...cpuRequest, scaling: { minReplicas: 2, maxReplicas: 6 } }),
    );
    await awaitSize('scaled', 2);
    // What the autoscaler does: it writes the Deployment's scale subresource.
    await scale('deployment/scaled', 5);
    await awaitSize('scaled', 5);
    await awaitAnotherLook('scaled');
    assert.equal(field(await testApi().get(RESOURCES.deployments, named('scaled')), 'spec', 'replicas'), 5);
  });

  it('comes back after suspend as the autoscaler had left it', async () => {
    await applyManifest(namespace(), modelService('resumed', { ...cpuRequest, scaling: { maxReplicas: 6 } }));
    await awaitSize('resumed', 1);
    await scale('deployment/resumed', 4);
    await awaitSize('resumed', 4);
    await suspend('resumed', true);
    await awaitSize('resumed', 0);
    await awaitCondition(named('resumed'), 'Reconciling', 'False', 'UpToDate');
    await suspend('resumed', false);
    await awaitSize('resumed', 4);
    await awaitObject('deployments', named('resumed'), {
      because: 'nothing is remembered any more',
      until: ({ metadata }) => metadata.annotations?.['modelservice.dev/resume-replicas'] === undefined,
    });
  });

  it('stays within new bounds when it comes back', async () => {
    await applyManifest(namespace(), modelService('bounded', { ...cpuRequest, scaling: { maxReplicas: 6 } }));
    await awaitSize('bounded', 1);
    await scale('deployment/bounded', 5);
    await awaitSize('bounded', 5);
    await suspend('bounded', true);
    await awaitSize('bounded', 0);
    await testApi().mergePatch(RESOURCES.modelServices, named('bounded'), {
      spec: { suspend: false, scaling: { maxReplicas: 3 } },
    });
    await awaitSize('bounded', 3);
  });

  it('stays at a zero that somebody set by hand on a scaled service', async () => {
    await applyManifest(namespace(), modelService('by-hand', { ...cpuRequest, scaling: { maxReplicas: 3 } }));
    await awaitSize('by-hand', 1);
    await scale('deployment/by-hand', 0);
    const object = await awaitCondition(named('by-hand'), 'Ready', 'False', 'ScaledToZero');
    assert.match(
      JSON.stringify(object.status),
      /pauses the autoscaler: .*kubectl scale deployment by-hand --replicas=1/,
    );
    await awaitAnotherLook('by-hand');
    assert.equal(field(await testApi().get(RESOURCES.deployments, named('by-hand')), 'spec', 'replicas'), 0);
  });

  it('comes back as it was when somebody deletes the Deployment of a scaled service', async () => {
    await applyManifest(namespace(), modelService('recreated', { ...cpuRequest, scaling: { maxReplicas: 6 } }));
    await awaitSize('recreated', 1);
    await scale('deployment/recreated', 4);
    await awaitObject('modelServices', named('recreated'), {
      because: 'the status tells 4 pods',
      until: (object) => field(object, 'status', 'replicas') === 4,
    });
    const { metadata } = await testApi().get(RESOURCES.deployments, named('recreated'));
    await testApi().delete(RESOURCES.deployments, named('recreated'));
    await awaitObject('deployments', named('recreated'), {
      because: 'there is a new one of the same size',
      until: (object) => object.metadata.uid !== metadata.uid && field(object, 'spec', 'replicas') === 4,
    });
  });
});
