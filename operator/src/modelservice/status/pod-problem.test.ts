import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerState, Pod } from '../live-objects.ts';
import { readyPod, samplePod, sampleService } from '../sample.ts';
import { podProblem } from './pod-problem.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

function container(state: ContainerState, lastState: ContainerState = {}): Pod {
  return samplePod('p', { containerStatuses: [{ name: 'server', state, lastState }] });
}

function ended(message: string, reason = 'Error', exitCode = 1): Pod {
  return container({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode, reason, message } });
}

const unschedulable = samplePod('u', {
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes.' }],
});

function limited(pod: Pod, memory: string): Pod {
  return { ...pod, spec: { containers: [{ name: 'server', resources: { limits: { memory } } }] } };
}

function lived(seconds: number, exitCode: number): Pod {
  const times = {
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: new Date(Date.UTC(2026) + seconds * 1000).toISOString(),
  };
  return container(
    { waiting: { reason: 'CrashLoopBackOff' } },
    { terminated: { exitCode, reason: 'Error', ...times } },
  );
}

function waitsForNode(message: string, reason = 'Unschedulable'): Pod {
  return samplePod('w', { conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] });
}

/** @param minute of the first hour of 2026 */
function made(minute: string): Pod {
  const pod = samplePod('m');
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp: `2026-01-01T00:${minute}Z` } };
}

function evicted(minute: string): Pod {
  const at = `2026-01-01T00:${minute}Z`;
  return samplePod('e', {
    phase: 'Failed',
    reason: 'Evicted',
    message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 12Mi.',
    conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', lastTransitionTime: at }],
  });
}

const preempted = samplePod('v', {
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
});

function running(startedAt: string, unreadySince: string): Pod {
  return samplePod('r', {
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: unreadySince }],
    containerStatuses: [{ name: 'server', ready: false, started: true, state: { running: { startedAt } } }],
  });
}

function setUp(since: string): Pod {
  return samplePod('s', {
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: since },
      { type: 'PodReadyToStartContainers', status: 'False', lastTransitionTime: since },
    ],
  });
}

function templated(hash: string, pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, labels: { 'pod-template-hash': hash } } };
}

const cases: readonly (readonly [string, readonly Pod[], string | undefined, RegExp])[] = [
  [
    'a reason of the server',
    [ended('{"reason":"InvalidModel","message":"It has no layers."}')],
    'InvalidModel',
    /^It has no layers\.$/,
  ],
  [
    'a reason that no server of ours gives',
    [ended('{"reason":"Hacked","message":"x"}')],
    'ServerFailed',
    /exit code 1/,
  ],
  [
    'half a message',
    [ended('{"reason":"InvalidMo')],
    'ServerFailed',
    /kubectl logs --previous -l modelservice\.dev\/name=mnist/,
  ],
  [
    'too little memory on the node',
    [ended('', 'OOMKilled', 137)],
    'OOMKilled',
    /^The node ran out of memory.*requests\.memory/,
  ],
  [
    'a memory limit that is too low',
    [limited(ended('', 'OOMKilled', 137), '512Mi')],
    'OOMKilled',
    /its limit of 512Mi: raise spec\.server\.resources\.limits\.memory/,
  ],
  [
    'a command that the image lacks',
    [ended('exec: "x": executable file not found in $PATH: unknown', 'StartError', 128)],
    'ServerFailed',
    /cannot be started: exec: "x".*Check spec\.server\.image/,
  ],
  ['a model that loads for too long', [lived(602, 137)], 'StartupTimeout', /startupTimeout of 10m/],
  ['a clean end after the startup time was over', [lived(605, 0)], 'StartupTimeout', /startupTimeout of 10m/],
  ['an end long after the start', [lived(6000, 137)], 'ServerFailed', /exit code 137/],
  ['a clean end long after the start', [lived(6000, 0)], undefined, /^$/],
  ['a clean end', [ended('', 'Completed', 0)], undefined, /^$/],
  [
    'an image that is not there',
    [container({ waiting: { reason: 'ErrImagePull', message: 'rpc error 7' } })],
    'ImagePullFailed',
    /^The image server:wasm cannot be pulled/,
  ],
  [
    'an image that the registry does not have',
    [container({ waiting: { reason: 'ErrImagePull', message: 'rpc error: code = NotFound desc = x: not found' } })],
    'ImageNotFound',
    /does not exist in its registry: correct server\.images in the operator's Helm values/,
  ],
  [
    'an image for which credentials are missing',
    [
      container({
        waiting: {
          reason: 'ImagePullBackOff',
          message:
            'Back-off pulling image "x": ErrImagePull: pull access denied, repository does not exist or may require authorization',
        },
      }),
    ],
    'ImagePullDenied',
    /spec\.pod\.imagePullSecrets/,
  ],
  [
    'an image whose name cannot be one',
    [container({ waiting: { reason: 'InvalidImageName', message: 'couldn’t parse image reference' } })],
    'ImageNameInvalid',
    /server:wasm is not valid/,
  ],
  [
    'a container that may not run as root, without the pod’s name',
    [
      container({
        waiting: {
          reason: 'CreateContainerConfigError',
          message:
            'container has runAsNonRoot and image will run as root (pod: "mnist-1_vision(u)", container: server)',
        },
      }),
    ],
    'ContainerConfigInvalid',
    /will run as root\. Create it, or correct spec\.server\.env\.$/,
  ],
  [
    'a container that the node cannot make, without identifiers',
    [container({ waiting: { reason: 'CreateContainerError', message: 'failed to reserve name 0123' } })],
    'ContainerConfigInvalid',
    /^The node cannot make the server's container: see kubectl describe pod/,
  ],
  [
    'the resource that no node has, without the thoughts of preemption',
    [
      waitsForNode(
        '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
      ),
    ],
    'Unschedulable',
    /^No node can take a pod: 0\/3 nodes are available: 3 Insufficient nvidia\.com\/gpu\. Add such a node, .*spec\.gpu\.$/,
  ],
  [
    'a taint',
    [waitsForNode('0/1 nodes are available: 1 node(s) had untolerated taint(s).')],
    'Unschedulable',
    /spec\.pod\.tolerations/,
  ],
  ['a scheduling gate', [waitsForNode('gated', 'SchedulingGated')], 'SchedulingGated', /has to take it away/],
  ['volumes that take their time', [setUp('2026-01-01T11:59:00Z')], undefined, /^$/],
  [
    'volumes that are not mounted',
    [setUp('2026-01-01T11:50:00Z')],
    'PodSetupFailing',
    /since 2026-01-01T11:50:00Z, and its volumes or its network/,
  ],
  [
    'a node that fell silent',
    [
      samplePod('p', {
        conditions: [
          { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' },
          { type: 'ContainersReady', status: 'True' },
        ],
        containerStatuses: [{ name: 'server', ready: true, started: true, state: { running: {} } }],
      }),
    ],
    'NodeLost',
    /since 2026-01-01T00:00:00Z: see kubectl get nodes/,
  ],
  [
    'an eviction, and a pod that starts in its place',
    [made('01:30'), evicted('01:00')],
    'Evicted',
    /low on resource: memory\. Set/,
  ],
  ['an eviction of long ago', [made('30:00'), evicted('01:00')], undefined, /^$/],
  [
    'a pod that made room',
    [{ ...preempted, metadata: { ...preempted.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    'Disrupted',
    /higher priority/,
  ],
  [
    'a probe that fails after the server was ready',
    [running('2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z')],
    'ProbeFailing',
    /since 2026-01-01T01:00:00Z: see kubectl logs -l/,
  ],
  ['a server that starts again', [running('2026-01-01T02:00:00Z', '2026-01-01T01:00:00Z')], undefined, /^$/],
  [
    'nothing of the pods from before the change',
    [templated('new', samplePod('n')), templated('old', ended('{"reason":"InvalidModel","message":"No."}'))],
    undefined,
    /^$/,
  ],
  [
    'a missing Secret',
    [container({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "a" not found' } })],
    'ContainerConfigInvalid',
    /secret "a" not found\. Create it, or correct spec\.server\.env/,
  ],
  ['no node', [unschedulable], 'Unschedulable', /0\/1 nodes\. Add such a node/],
  ['a pod that just starts', [container({ waiting: { reason: 'ContainerCreating' } })], undefined, /^$/],
  ['a pod that is ready now', [readyPod('r')], undefined, /^$/],
  [
    'the model before the node',
    [unschedulable, ended('{"reason":"InvalidModel","message":"No."}')],
    'InvalidModel',
    /^No\.$/,
  ],
];

describe('podProblem', () => {
  for (const [title, pods, reason, message] of cases) {
    it(`tells ${title} as ${reason ?? 'nothing'}`, () => {
      const problem = podProblem(sampleService(), pods, NOW);
      assert.equal(problem?.reason, reason);
      assert.match(problem?.message ?? '', message);
    });
  }

  it('shortens what would not fit a condition', () => {
    const long = ended(JSON.stringify({ reason: 'FetchFailed', message: 'x'.repeat(5000) }));
    assert.equal(podProblem(sampleService(), [long], NOW)?.message.length, 1000);
  });
});
