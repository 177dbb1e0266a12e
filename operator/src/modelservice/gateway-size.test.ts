import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeObject } from '../kube/types.ts';
import { Applier } from '../runtime/applier.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { gatewaySizeReconciler } from './gateway-size.ts';
import type { Deployment, EndpointSlice } from './live-objects.ts';
import type { ModelService } from './resource.ts';
import { sampleDeployment, sampleService, sampleSlice } from './sample.ts';

const MAY_IDLE = { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10m' } };

function storeOf<T extends KubeObject>(objects: readonly T[]): StoreReader<T> {
  return { get: () => objects[0], list: () => objects, byIndex: () => objects } as unknown as StoreReader<T>;
}

async function sizesWritten(
  deployments: readonly Deployment[],
  services: readonly ModelService[],
  slices: readonly EndpointSlice[],
): Promise<readonly unknown[]> {
  const written: unknown[] = [];
  const apply = async (_: unknown, intent: { readonly spec?: unknown }, options: { readonly fieldManager: string }) => {
    written.push([options.fieldManager, intent.spec]);
    return deployments[0];
  };
  const reconcile = gatewaySizeReconciler({
    applier: new Applier({ api: { apply } as unknown as ConstructorParameters<typeof Applier>[0]['api'] }),
    deployments: storeOf(deployments),
    services: storeOf(services),
    slices: storeOf(slices),
    replicas: 2,
  });
  await reconcile('system/gateway', { signal: new AbortController().signal, log: pino({ level: 'silent' }) } as never);
  return written;
}

describe('the size of the gateway', () => {
  const one = [sampleDeployment({ replicas: 1 })];
  for (const { title, deployments = one, services = [], slices = [], expected } of [
    { title: 'is none without a service that may go to zero', services: [sampleService()], expected: [0] },
    { title: 'is as told with one', services: [sampleService(), sampleService(MAY_IDLE)], expected: [2] },
    { title: 'stays until the last slice is gone', slices: [sampleSlice([])], expected: [2] },
    {
      title: 'is nobody’s where there is no Deployment',
      deployments: [],
      services: [sampleService(MAY_IDLE)],
      expected: [],
    },
  ]) {
    it(title, async () => {
      assert.deepEqual(
        await sizesWritten(deployments, services, slices),
        expected.map((replicas) => ['modelservice-replicas', { replicas }]),
      );
    });
  }
});
