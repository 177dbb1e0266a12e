import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
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
  await Promise.all(pending.map(makePodReady));
  return pending.length;
}

export async function makePodReady({ metadata: { namespace, name }, spec }: AnyObject): Promise<void> {
  const now = new Date().toISOString();
  const conditions = ['Initialized', 'ContainersReady', 'Ready', 'PodScheduled'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
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
  const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
  await testApi().mergePatch(RESOURCES.pods, ref, { status }, 'status');
}
