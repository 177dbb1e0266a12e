import { type ServiceRef, SizeHistory } from './autoscaling.ts';
import { awaitCondition, awaitObject, field } from './children.ts';
import { applyManifest, modelService } from './manifests.ts';
import type { LoadedBackend } from './metrics-pods.ts';
import { RESOURCES } from './resource-types.ts';
import type { ServedPods } from './served-pods.ts';
import { testApi } from './test-run.ts';

/** A ModelService whose autoscaler keeps three pods, though one would be enough for it without load. */
export interface BusyService {
  readonly ref: ServiceRef;
  /** Each has two requests in flight, which is what it is to have. */
  readonly pods: readonly [LoadedBackend, LoadedBackend, LoadedBackend];
  /** Of its Deployment, from then on. */
  readonly history: SizeHistory;
}

/** What a BusyService has at most. */
export const MOST = 5;

/** Whatever the autoscaler wants happens at once, so that nothing but its wish keeps the size. */
const AT_ONCE = {
  scaleUp: { policies: [{ type: 'Pods', value: MOST, periodSeconds: 15 }] },
  scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: MOST, periodSeconds: 15 }] },
};

export async function startBusyService(ref: ServiceRef, servers: ServedPods): Promise<BusyService> {
  const manifest = (minReplicas: number) =>
    modelService(ref.name, { scaling: { minReplicas, maxReplicas: MOST, behavior: AT_ONCE } });
  await applyManifest(ref.namespace, manifest(3));
  const [first, second, third] = await servers.start(ref.name, 3, 2);
  if (first === undefined || second === undefined || third === undefined) throw new Error('There are three pods.');
  await awaitCondition(ref, 'AutoscalingActive', 'True', 'MetricsRead', 60_000);
  const history = await SizeHistory.begin(ref);
  await applyManifest(ref.namespace, manifest(1));
  return { ref, pods: [first, second, third], history };
}

/** Shows that it scales: gives its pods more than they can take. */
export async function growsAgain({ ref, pods }: BusyService): Promise<void> {
  for (const pod of pods) pod.heldForLong(5);
  await awaitSize(ref, MOST, 'three pods with five in flight each ask for more than there may be');
}

export async function sizeOf(ref: ServiceRef): Promise<unknown> {
  return field(await testApi().get(RESOURCES.deployments, ref), 'spec', 'replicas');
}

export async function awaitSize(ref: ServiceRef, size: number, because: string): Promise<void> {
  await awaitObject('deployments', ref, {
    because,
    until: (object) => field(object, 'spec', 'replicas') === size,
    deadlineMs: 90_000,
  });
}
