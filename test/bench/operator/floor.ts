import type { KubeClient } from '../../../operator/src/kube/kube-client.ts';
import { DEPLOYMENT } from '../../../operator/src/kube/resources.ts';
import { FIELD_MANAGER, REPLICAS_FIELD_MANAGER } from '../../../operator/src/modelservice/conventions.ts';
import { gather, type Known, type Stores } from '../../../operator/src/modelservice/gather.ts';
import { plan } from '../../../operator/src/modelservice/plan/plan.ts';
import { MODEL_SERVICE, type ModelService } from '../../../operator/src/modelservice/resource.ts';
import type { StoreReader } from '../../../operator/src/runtime/store-reader.ts';
import { each } from './statistics.ts';

const EMPTY: StoreReader<never> = { get: () => undefined, list: () => [], byIndex: () => [] };
const SCALER = { kind: 'stock' } as const;
const CONFIG = {
  images: { wasm: 'modelservice-server:test-wasm', tensorflow: 'modelservice-server:test-tensorflow' },
  scaler: SCALER,
};

/**
 * What the same objects cost without an operator: a plain loop over the ModelServices of a namespace applies the
 * children of each at the same time, then the Deployment's size, so many services at a time.
 *
 * @returns how many milliseconds it took
 */
export async function measureFloor(
  client: KubeClient,
  namespace: string,
  workers: number,
  signal: AbortSignal,
): Promise<number> {
  const { items } = await client.list<ModelService>(MODEL_SERVICE, { namespace }, signal);
  const plans = await Promise.all(items.map(async (service) => plan(service, await nothingThereOf(service), CONFIG)));
  const beganMs = performance.now();
  await each(plans, workers, async ({ children, size }) => {
    await Promise.all(
      children.map(async ({ type, intent }) => {
        await client.apply(type, intent, { fieldManager: FIELD_MANAGER }, signal);
        if (type !== DEPLOYMENT || size === undefined) return;
        const { name, namespace: of = namespace } = intent.metadata;
        const sizeIntent = {
          apiVersion: intent.apiVersion,
          kind: intent.kind,
          metadata: { name, namespace: of },
          spec: { replicas: size.replicas },
        };
        await client.apply(type, sizeIntent, { fieldManager: REPLICAS_FIELD_MANAGER }, signal);
      }),
    );
  });
  return performance.now() - beganMs;
}

async function nothingThereOf(service: ModelService) {
  // Whatever stores there are: all of them are empty.
  const stores = new Proxy({} as Stores, { get: () => EMPTY });
  const known: Known = {
    modelInfo: new Map(),
    activity: new Map(),
    gateway: undefined,
    kedaServed: undefined,
    now: Date.now(),
  };
  return await gather(service, stores, known, SCALER, async () => [], false);
}
