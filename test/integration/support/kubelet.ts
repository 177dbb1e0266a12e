// What a kubelet reports, written by hand: the test clusters have no nodes, so nothing else writes a pod's status.
import { eventually } from './eventually.ts';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi } from './test-run.ts';

/** Waits for exactly `count` pods of a ModelService that are not being deleted. */
export async function awaitPods(namespace: string, name: string, count: number): Promise<readonly AnyObject[]> {
  return await eventually(
    async () => {
      const all = await testApi().list(RESOURCES.pods, { namespace, labelSelector: `modelservice.dev/name=${name}` });
      return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    },
    { because: `${name} has ${count} pods`, until: (found) => found.length === count },
  );
}

/** The pod's server answers at `podIP`. */
export function reportReady(pod: AnyObject, podIP = '127.0.0.1'): Promise<AnyObject> {
  return reportStatus(pod, {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'ContainersReady', status: 'True' },
    ],
  });
}

/** No node takes the pod. */
export function reportUnschedulable(pod: AnyObject, message: string): Promise<AnyObject> {
  return reportStatus(pod, {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
  });
}

/** The pod's container is in `state`, after it was in `lastState`. */
export function reportContainer(pod: AnyObject, state: object, lastState: object = {}): Promise<AnyObject> {
  const server = { name: 'server', image: 'x', imageID: '', ready: false, restartCount: 1, state, lastState };
  return reportStatus(pod, { phase: 'Pending', containerStatuses: [server] });
}

function reportStatus({ metadata }: AnyObject, status: object): Promise<AnyObject> {
  return testApi().mergePatch(RESOURCES.pods, metadata, { status }, 'status');
}
