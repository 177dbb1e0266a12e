import { awaitObject, field } from '../children.ts';
import { makePodReady } from '../ready-pods.ts';
import { RESOURCES } from '../resource-types.ts';
import type { AnyObject } from '../test-api.ts';
import { testApi } from '../test-run.ts';
import type { Ref } from './cause.ts';

type Provoke = (ref: Ref, pod: AnyObject) => Promise<unknown>;

const IMAGE = 'registry.example.com/server:1';

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

function report({ metadata }: AnyObject, status: object): Promise<AnyObject> {
  return testApi().mergePatch(RESOURCES.pods, metadata, { status }, 'status');
}

/** The pod's conditions once it has a node. */
function conditions(ready: 'True' | 'False', since: string, containersReady = ready): readonly object[] {
  return [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: since },
    { type: 'Ready', status: ready, lastTransitionTime: since },
    { type: 'ContainersReady', status: containersReady, lastTransitionTime: since },
  ];
}

/** The kubelet says that the server waits, for that reason. */
export function waits(reason: string, message: string): Provoke {
  return (_ref, pod) => report(pod, { phase: 'Pending', ...server({ state: { waiting: { reason, message } } }) });
}

/** The server ended, and the kubelet waits before it starts it again. */
export function ended(exitCode: number, reason: string, message = '', livedSeconds = 3): Provoke {
  const terminated = { exitCode, reason, message, startedAt: ago(livedSeconds + 10), finishedAt: ago(10) };
  const waiting = {
    reason: 'CrashLoopBackOff',
    message: 'back-off 10s restarting failed container=server pod=x_y(z)',
  };
  return (_ref, pod) => report(pod, { phase: 'Running', ...server({ state: { waiting }, lastState: { terminated } }) });
}

/** As `ended`, by a failure that the server names. */
export function failed(reason: string, message: string): Provoke {
  return ended(1, 'Error', JSON.stringify({ reason, message, model: 'digits' }));
}

/** It has had a node for five minutes, and not even its volumes are there. */
export const setupFails: Provoke = (_ref, pod) =>
  report(pod, {
    phase: 'Pending',
    conditions: [
      ...conditions('False', ago(300)),
      { type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime: ago(300) },
    ],
    ...server({ restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } }),
  });

/** It was ready for an hour, and its probe fails. */
export const probeFails: Provoke = (_ref, pod) =>
  report(pod, {
    phase: 'Running',
    conditions: conditions('False', ago(60)),
    ...server({ started: true, state: { running: { startedAt: ago(3600) } } }),
  });

/** As kube-controller-manager's node lifecycle controller leaves it: it changes the condition Ready alone. */
export const nodeFellSilent: Provoke = (_ref, pod) =>
  report(pod, {
    phase: 'Running',
    conditions: conditions('False', ago(60), 'True'),
    ...server({ ready: true, started: true, state: { running: { startedAt: ago(3600) } } }),
  });

export const evicted: Provoke = (_ref, pod) =>
  report(pod, {
    phase: 'Failed',
    reason: 'Evicted',
    message:
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 12Mi. Container server was using 900Mi, request is 0, has larger consumption of memory. ',
    conditions: [disruption('TerminationByKubelet', 'The node was low on resource: memory.')],
  });

/** The scheduler marks its victim and deletes it. */
export const preempted: Provoke = async ({ namespace }, pod) => {
  const message = 'default-scheduler: preempting to accommodate a higher priority pod';
  await report(pod, { conditions: [disruption('PreemptionByScheduler', message)] });
  await testApi().delete(RESOURCES.pods, { namespace, name: pod.metadata.name });
};

/** Its server answers. */
export const ready: Provoke = (_ref, pod) => makePodReady(pod);

/** As the Deployment's controller says once the progress deadline has passed, after 11 minutes here. */
export const deadlinePassed: Provoke = async (ref) => {
  await awaitObject('deployments', ref, {
    because:
      'its controller has counted the pod; what it would call progress comes no more, and it keeps what it finds',
    until: (object) => field(object, 'status', 'updatedReplicas') === 1,
  });
  const verdict = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
  await testApi().mergePatch(RESOURCES.deployments, ref, { status: { conditions: [verdict] } }, 'status');
};

function disruption(reason: string, message: string): object {
  return { type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime: ago(0) };
}

function server(status: object): object {
  const base = { name: 'server', image: IMAGE, imageID: '', ready: false, started: false, restartCount: 1 };
  return { containerStatuses: [{ ...base, ...status }] };
}
