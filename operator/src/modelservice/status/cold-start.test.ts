import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Deployment, isPodReady, type Pod } from '../live-objects.ts';
import { sampleDeployment, samplePod, sampleService } from '../sample.ts';
import type { ColdStart } from '../types.generated.ts';
import { coldStartOf } from './cold-start.ts';

const REQUEST = '2026-01-01T12:00:00Z';
const at = (seconds: number): string => new Date(Date.parse(REQUEST) + seconds * 1000).toISOString();

function waking(replicas: number): Deployment {
  return sampleDeployment({ replicas, annotations: { 'modelservice.dev/idle-since': at(-600) } });
}

const pod: Pod = samplePod('p', {
  conditions: [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: at(1) },
    { type: 'Ready', status: 'True', lastTransitionTime: at(12) },
  ],
  containerStatuses: [{ name: 'server', state: { running: { startedAt: at(4) } } }],
});

function coldStart(before: ColdStart | undefined, deployment: Deployment, pods: readonly Pod[], answered?: boolean) {
  const activity = {
    inFlight: 0,
    lastRequestAt: undefined,
    loadSeconds: new Map([
      ['Loading', 2.5],
      ['Fetching', 3],
    ]),
  };
  const scaling = { wakeRequestTime: REQUEST, ...(before === undefined ? {} : { lastColdStart: before }) };
  return coldStartOf({
    service: sampleService({}, { scaling }),
    deployment,
    pods,
    activity: new Map(answered === undefined ? [] : [['p', { readAt: 0, activity: answered ? activity : undefined }]]),
  });
}

describe('coldStartOf', () => {
  it('begins with the request that woke the service, and keeps it though the gateway asks again', () => {
    assert.deepEqual(coldStart(undefined, waking(1), []), { requestTime: REQUEST });
    assert.deepEqual(coldStart({ requestTime: at(-15) }, waking(1), []), { requestTime: at(-15) });
  });

  it('does not begin where nobody asked', () => {
    assert.equal(coldStart(undefined, sampleDeployment({ replicas: 1 }), []), undefined);
    const since = { 'modelservice.dev/idle-since': at(60) };
    assert.equal(coldStart(undefined, sampleDeployment({ replicas: 1, annotations: since }), []), undefined);
  });

  it('waits until the first ready pod was asked how long its model took', () => {
    assert.ok(isPodReady(pod));
    assert.deepEqual(coldStart({ requestTime: REQUEST }, waking(1), [pod]), { requestTime: REQUEST });
  });

  it('tells what the time went to', () => {
    assert.deepEqual(coldStart({ requestTime: REQUEST }, waking(1), [pod], true), {
      requestTime: REQUEST,
      readyTime: '2026-01-01T12:00:12Z',
      phases: [
        { name: 'Scheduling', seconds: 1 },
        { name: 'Starting', seconds: 3 },
        { name: 'Fetching', seconds: 3 },
        { name: 'Loading', seconds: 2.5 },
        { name: 'Settling', seconds: 2.5 },
      ],
    });
  });

  it('tells what is known where the pod does not answer', () => {
    const phases = coldStart({ requestTime: REQUEST }, waking(1), [pod], false)?.phases;
    assert.deepEqual(phases?.at(-1), { name: 'Settling', seconds: 8 });
  });

  it('forgets one that was broken off, and keeps one that is over', () => {
    assert.equal(coldStart({ requestTime: REQUEST }, sampleDeployment({ replicas: 0 }), []), undefined);
    const over = { requestTime: at(-900), readyTime: at(-880), phases: [] };
    assert.deepEqual(coldStart(over, sampleDeployment({ replicas: 0 }), []), over);
  });
});
