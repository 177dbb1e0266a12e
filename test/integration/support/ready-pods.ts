import { RESOURCES } from './resource-types.ts';
import { testApi } from './test-run.ts';

/**
 * Plays the kubelet where a cluster has no node: every Pending pod of a namespace is told to be running and ready, in
 * its status alone.
 *
 * @returns how many pods it was
 */
export async function makePodsReady(namespace: string): Promise<number> {
  const api = testApi();
  const pods = await api.list(RESOURCES.pods, { namespace });
  const pending = pods.filter(({ status }) => status?.phase === 'Pending');
  const now = new Date().toISOString();
  const conditions = ['Initialized', 'ContainersReady', 'Ready', 'PodScheduled'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
  await Promise.all(
    pending.map(async ({ metadata: { name }, spec }) => {
      const containers = (spec?.containers ?? []) as readonly { readonly name: string; readonly image: string }[];
      const containerStatuses = containers.map((container) => ({
        name: container.name,
        image: container.image,
        imageID: '',
        restartCount: 0,
        ready: true,
        started: true,
        state: { running: { startedAt: now } },
      }));
      const status = { phase: 'Running', startTime: now, conditions, containerStatuses };
      await api.mergePatch(RESOURCES.pods, { namespace, name }, { status }, 'status');
    }),
  );
  return pending.length;
}
