import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerState, Pod } from '../live-objects.ts';
import { readyPod, samplePod } from '../sample.ts';
import { podProblem } from './pod-problem.ts';

function container(state: ContainerState, lastState: ContainerState = {}): Pod {
  return samplePod('p', { containerStatuses: [{ name: 'server', state, lastState }] });
}

function ended(message: string, reason = 'Error', exitCode = 1): Pod {
  return container({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode, reason, message } });
}

const unschedulable = samplePod('u', {
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes.' }],
});

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
  ['too little memory', [ended('', 'OOMKilled', 137)], 'OutOfMemory', /limits\.memory/],
  ['a clean end', [ended('', 'Completed', 0)], undefined, /^$/],
  [
    'an image that is not there',
    [container({ waiting: { reason: 'ErrImagePull', message: 'rpc error 7' } })],
    'ImagePullFailed',
    /^The image server:wasm cannot be pulled/,
  ],
  [
    'a missing Secret',
    [container({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "a" not found' } })],
    'ContainerConfigInvalid',
    /secret "a" not found\. Check spec\.server\.env/,
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
      const problem = podProblem(pods);
      assert.equal(problem?.reason, reason);
      assert.match(problem?.message ?? '', message);
    });
  }

  it('shortens what would not fit a condition', () => {
    const long = ended(JSON.stringify({ reason: 'FetchFailed', message: 'x'.repeat(5000) }));
    assert.equal(podProblem([long])?.message.length, 1000);
  });
});
