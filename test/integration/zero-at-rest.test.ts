import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { awaitCondition } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { testApi } from './support/test-run.ts';
import { ZeroWorld } from './support/zero-world.ts';

const AT_ZERO = ['a', 'b', 'c', 'd', 'e'];
/** How long nothing may be written. */
const REST_SECONDS = 15;

describe('ModelServices at zero', function () {
  this.timeout(180_000);
  const namespace = useNamespace('zero-rest');
  let world: ZeroWorld;

  before('bring them there, and one that has a pod since it does not tell its activity', async () => {
    world = await ZeroWorld.start(namespace());
    await world.addGatewayPod('gateway-a');
    for (const name of [...AT_ZERO, 'silent']) {
      const scaling = { minReplicas: 0, maxReplicas: 3, idleAfter: '10s' };
      await applyManifest(namespace(), modelService(name, { scaling }));
      const backend = await world.serve(name, name === 'silent' ? 0 : 3600);
      if (name === 'silent') await backend.fail('refuses');
    }
    for (const name of AT_ZERO) {
      await awaitCondition({ namespace: namespace(), name }, 'Ready', 'True', 'Idle', 60_000);
      await world.setReachable(name, false);
    }
    await awaitCondition({ namespace: namespace(), name: 'silent' }, 'CanScaleToZero', 'False', 'ActivityUnknown');
    await quiet();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** Changes with each write to what the operator and the gateway write. */
  async function versions(): Promise<readonly string[]> {
    const types = [RESOURCES.modelServices, RESOURCES.deployments, RESOURCES.endpointSlices];
    const objects = await Promise.all(types.map((type) => testApi().list(type, { namespace: namespace() })));
    return objects.flat().map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
  }

  /** Waits until two looks in a row are the same. */
  async function quiet(): Promise<void> {
    let last: readonly string[] = [];
    await eventually(
      async () => {
        const seen = last;
        last = await versions();
        return last.join() === seen.join();
      },
      { because: 'all is at rest', until: (same) => same, deadlineMs: 60_000, intervalMs: 3000 },
    );
  }

  it(`cost no write for ${REST_SECONDS} s, nor does one whose pod is asked in vain`, async () => {
    const before = await versions();
    await delay(REST_SECONDS * 1000 + 5000);
    assert.deepEqual(await versions(), before);
  });

  it(`cost none for ${REST_SECONDS} s after a crash of the operator`, async () => {
    const before = await versions();
    await world.crashOperator();
    await world.startOperator();
    await delay(REST_SECONDS * 1000);
    assert.deepEqual(await versions(), before);
  });
});
