import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Deployment, Pod } from '../live-objects.ts';
import type { ActivityReading } from '../observed.ts';
import type { ModelService } from '../resource.ts';
import {
  OWNED_REPLICAS,
  readyPod,
  type SpecParts,
  sampleDeployment,
  sampleGatewayPod,
  samplePod,
  sampleService,
  sampleSlice,
} from '../sample.ts';
import type { Condition } from '../types.generated.ts';
import { decideScaleToZero, GATEWAY_PATIENCE_MS, type ScaleToZero } from './scale-to-zero.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const PORT = 20_007;
const MAY_IDLE: SpecParts = { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10m' } };
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function deploymentOf(
  replicas: number,
  parts: { readonly idle?: boolean; readonly byHand?: boolean } = {},
): Deployment {
  return sampleDeployment({
    replicas,
    ...(parts.idle ? { annotations: { 'modelservice.dev/idle-since': ago(3600) } } : {}),
    ...(parts.byHand ? {} : { managedFields: OWNED_REPLICAS }),
    status: { observedGeneration: 2, replicas, updatedReplicas: replicas, readyReplicas: replicas },
  });
}

function readySince(seconds: number): Pod {
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: ago(seconds) }];
  return samplePod('p', { podIP: '10.0.0.1', conditions });
}

function read(secondsAgo: number, activity: Partial<NonNullable<ActivityReading['activity']>> | 'none') {
  const known = { inFlight: 0, lastRequestAt: undefined, loadSeconds: new Map<string, number>() };
  const reading = {
    readAt: NOW - secondsAgo * 1000,
    activity: activity === 'none' ? undefined : { ...known, ...activity },
  };
  return new Map([['p', reading]]);
}

const awake = { deployment: deploymentOf(1), pods: [readySince(7200)] };
const quiet = { activity: read(1, { lastRequestAt: NOW - 900_000 }) };
const idle = { deployment: deploymentOf(0, { idle: true }), pods: [] };
const told = (reason: string, seconds: number): readonly Condition[] => [
  { type: 'CanScaleToZero', status: 'False', reason, message: '', lastTransitionTime: ago(seconds) },
];
const missing = (seconds: number) => told('GatewayNotReady', seconds);

interface Case {
  readonly title: string;
  readonly spec?: SpecParts;
  readonly wakeRequested?: number;
  readonly conditions?: readonly Condition[];
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  readonly activity?: ReadonlyMap<string, ActivityReading>;
  /** The gateway's pods that are ready. Default: a and b; 'None': the operator has no gateway. */
  readonly gateway?: readonly string[] | 'None';
  readonly listeners?: Readonly<Record<string, number | 'No'>>;
  /** Whom the slice names; undefined: there is none. */
  readonly listed?: readonly string[];
  /** Default: the slice's; 'None': all are taken. */
  readonly port?: number | 'None';
  readonly reachable?: boolean;
  readonly expected: Partial<Omit<ScaleToZero, 'holders'>> & { readonly holders?: readonly string[] };
}

const both = { a: PORT, b: PORT };

const cases: readonly Case[] = [
  {
    title: 'a service that has to keep a pod has no slice',
    spec: { scaling: { minReplicas: 1, maxReplicas: 3 } },
    ...awake,
    ...quiet,
    expected: { wantsSlice: false, obstacle: undefined, asksPods: false, requeueAfterMs: undefined },
  },
  {
    title: 'a new one gets its slice first, without endpoints',
    deployment: undefined,
    pods: [],
    expected: { wantsSlice: true, holders: [] },
  },
  {
    title: 'an awake one is looked at when it could be idle, and not before',
    ...awake,
    activity: read(60, { lastRequestAt: NOW - 120_000 }),
    listed: [],
    expected: { step: undefined, asksPods: false, asksGateway: false, requeueAfterMs: 480_000 },
  },
  {
    title: 'a pod that never had a request counts from when it became ready',
    deployment: deploymentOf(1),
    pods: [readySince(60)],
    listed: [],
    expected: { asksPods: false, requeueAfterMs: 540_000 },
  },
  {
    title: 'its pods are asked once the time has passed',
    ...awake,
    activity: read(600, { lastRequestAt: NOW - 700_000 }),
    listed: [],
    expected: { step: undefined, asksPods: true, holders: [] },
  },
  {
    title: 'a request in flight is activity',
    ...awake,
    activity: read(5, { inFlight: 1, lastRequestAt: NOW - 900_000 }),
    listed: [],
    expected: { step: undefined, asksPods: false, requeueAfterMs: 595_000 },
  },
  {
    title: 'a wake request of a moment ago is activity',
    ...awake,
    ...quiet,
    wakeRequested: 20,
    listed: [],
    expected: { step: undefined, requeueAfterMs: 580_000 },
  },
  {
    title: 'a pod that does not answer is not known to be idle',
    ...awake,
    activity: read(1, 'none'),
    listed: [],
    expected: { step: undefined, obstacle: 'ActivityUnknown', requeueAfterMs: 14_000 },
  },
  {
    title: 'nothing goes to zero while a rollout goes on',
    deployment: sampleDeployment({ replicas: 1, status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1 } }),
    pods: [readySince(7200)],
    ...quiet,
    listed: [],
    expected: { step: undefined, asksGateway: false, obstacle: 'RolloutInProgress' },
  },
  {
    title: 'and a size that the Deployment’s controller has not seen yet is no rollout to tell of',
    deployment: sampleDeployment({ replicas: 2, status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 } }),
    pods: [readySince(7200)],
    ...quiet,
    listed: [],
    expected: { step: undefined, obstacle: undefined },
  },
  {
    title: 'when nobody asks, the gateway is asked whether it listens',
    ...awake,
    ...quiet,
    listed: [],
    expected: { step: undefined, asksGateway: true, holders: [] },
  },
  {
    title: 'who confirmed is named before the pods go',
    ...awake,
    ...quiet,
    listeners: { a: PORT },
    listed: [],
    expected: { step: undefined, holders: ['a'] },
  },
  {
    title: 'who listens on another port has not confirmed',
    ...awake,
    ...quiet,
    listeners: { a: PORT + 1, b: 'No' },
    listed: [],
    expected: { step: undefined, holders: [], obstacle: 'GatewayNotReady', requeueAfterMs: 15_000 },
  },
  {
    title: 'the pods go once the slice is seen to name who confirmed',
    ...awake,
    ...quiet,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'GoToZero', holders: ['a', 'b'] },
  },
  {
    title: 'they do not go while the slice has the port of before',
    ...awake,
    ...quiet,
    listeners: both,
    listed: ['a', 'b'],
    port: PORT + 1,
    expected: { step: undefined },
  },
  {
    title: 'a request during the handover takes the gateway out again',
    ...awake,
    activity: read(1, { lastRequestAt: NOW - 2_000 }),
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: undefined, holders: [], asksGateway: false },
  },
  {
    title: 'an operator that starts in the midst of the handover asks before it changes anything',
    ...awake,
    listed: ['a', 'b'],
    expected: { step: undefined, holders: ['a', 'b'], asksPods: true, asksGateway: true },
  },
  {
    title: 'at zero it stays, held by who confirmed',
    ...idle,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'StayAtZero', holders: ['a', 'b'], asksGateway: true, obstacle: undefined },
  },
  {
    title: 'an operator that starts at zero takes the slice’s word until it has asked',
    ...idle,
    listed: ['a', 'b'],
    expected: { step: 'StayAtZero', holders: ['a', 'b'], asksGateway: true, obstacle: undefined },
  },
  {
    title: 'a gateway pod that came is added and one that went is taken out',
    ...idle,
    gateway: ['b', 'c'],
    listeners: { b: PORT, c: PORT },
    listed: ['a', 'b'],
    expected: { step: 'StayAtZero', holders: ['b', 'c'] },
  },
  {
    title: 'a request wakes it, and the gateway keeps holding',
    ...idle,
    wakeRequested: 1,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'Wake', holders: ['a', 'b'], wantsSlice: true },
  },
  {
    title: 'the request that woke it the last time does not wake it again',
    ...idle,
    wakeRequested: 3700,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'StayAtZero' },
  },
  {
    title: 'a gateway whose clock is a little behind wakes it all the same',
    ...idle,
    wakeRequested: 3603,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'Wake' },
  },
  {
    title: 'without a gateway that holds it waits a little',
    ...idle,
    gateway: [],
    listed: ['a'],
    expected: {
      step: 'StayAtZero',
      holders: [],
      obstacle: 'GatewayNotReady',
      requeueAfterMs: GATEWAY_PATIENCE_MS,
    },
  },
  {
    title: 'and is woken when none comes back',
    ...idle,
    conditions: missing(31),
    gateway: [],
    listed: [],
    expected: { step: 'Wake', obstacle: 'GatewayNotReady' },
  },
  {
    title: 'an operator without a gateway wakes it at once',
    ...idle,
    gateway: 'None',
    listed: ['a'],
    expected: { step: 'Wake', wantsSlice: false, obstacle: 'NoGateway' },
  },
  {
    title: 'taking idleAfter out of the manifest wakes it, held until a pod is ready',
    spec: { scaling: { minReplicas: 1, maxReplicas: 3 } },
    ...idle,
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'Wake', wantsSlice: true, holders: ['a', 'b'], obstacle: undefined },
  },
  {
    title: 'while it wakes the gateway is followed',
    deployment: deploymentOf(1, { idle: true }),
    pods: [samplePod('p')],
    gateway: ['b', 'c'],
    listeners: { b: PORT, c: PORT },
    listed: ['a', 'b'],
    expected: { step: 'KeepWaking', holders: ['b', 'c'], asksGateway: true },
  },
  {
    title: 'a gateway that comes back while it wakes holds again',
    deployment: deploymentOf(1, { idle: true }),
    pods: [samplePod('p')],
    listeners: both,
    listed: [],
    expected: { step: 'KeepWaking', holders: ['a', 'b'] },
  },
  {
    title: 'the first ready pod ends it, and the slice is emptied',
    deployment: deploymentOf(1, { idle: true }),
    pods: [readySince(1)],
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'EndWaking', holders: [], wantsSlice: true, asksGateway: false },
  },
  {
    title: 'with the feature taken away the slice goes with the first ready pod',
    spec: { scaling: { minReplicas: 1, maxReplicas: 3 } },
    deployment: deploymentOf(1, { idle: true }),
    pods: [readySince(1)],
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'EndWaking', wantsSlice: false },
  },
  {
    title: 'a crash between the two writes of the end leaves only the slice to empty',
    deployment: deploymentOf(1),
    pods: [readySince(1)],
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: undefined, holders: [], wantsSlice: true },
  },
  {
    title: 'a zero set by hand is nobody’s to hold or to wake',
    deployment: deploymentOf(0, { byHand: true }),
    pods: [],
    wakeRequested: 1,
    listeners: both,
    listed: ['a'],
    expected: { step: undefined, holders: [], asksGateway: false, wantsSlice: true },
  },
  {
    title: 'nor is one set by hand while it woke',
    deployment: deploymentOf(0, { idle: true, byHand: true }),
    pods: [],
    wakeRequested: 1,
    listeners: both,
    listed: ['a'],
    expected: { step: undefined, holders: [] },
  },
  {
    title: 'pods that somebody adds by hand at zero end the time at zero',
    deployment: deploymentOf(2, { idle: true, byHand: true }),
    pods: [samplePod('p')],
    listeners: both,
    listed: ['a', 'b'],
    expected: { step: 'KeepWaking', holders: ['a', 'b'] },
  },
  {
    title: 'a suspended one is not held, and not woken',
    spec: { ...MAY_IDLE, suspend: true },
    ...idle,
    wakeRequested: 1,
    listeners: both,
    listed: ['a'],
    expected: { step: undefined, holders: [], wantsSlice: true, obstacle: undefined },
  },
  {
    title: 'the gateway stays in the path of a woken one until the Service leads to the ready pod',
    deployment: deploymentOf(1, { idle: true }),
    pods: [readySince(0)],
    listeners: both,
    listed: ['a', 'b'],
    reachable: false,
    expected: { step: 'KeepWaking', holders: ['a', 'b'], wantsSlice: true, requeueAfterMs: 500 },
  },
  {
    title: 'and leaves it then',
    deployment: deploymentOf(1, { idle: true }),
    pods: [readySince(0)],
    listeners: both,
    listed: ['a', 'b'],
    reachable: true,
    expected: { step: 'EndWaking', holders: [], wantsSlice: true },
  },
  {
    title: 'no pods go while Kubernetes does not list them: they would never come back into the path',
    ...awake,
    ...quiet,
    listeners: both,
    listed: ['a', 'b'],
    reachable: false,
    expected: { step: undefined, holders: ['a', 'b'] },
  },
  {
    title: 'a pod that did not answer stays the obstacle while it is asked again',
    ...awake,
    activity: read(20, 'none'),
    conditions: told('ActivityUnknown', 60),
    listed: [],
    expected: { step: undefined, asksPods: true, obstacle: 'ActivityUnknown' },
  },
  {
    title: 'a slice that somebody deleted at zero names nobody until the gateway listens for the new one',
    ...idle,
    listeners: both,
    expected: { step: 'StayAtZero', wantsSlice: true, holders: [] },
  },
  {
    title: 'without a free port of the gateway the pods stay',
    ...awake,
    ...quiet,
    port: 'None',
    expected: { step: undefined, holders: [], obstacle: 'NoGatewayPort' },
  },
  {
    title: 'a service whose pods all crashed is not the gateway’s',
    deployment: deploymentOf(1),
    pods: [samplePod('p')],
    listeners: both,
    listed: [],
    expected: { step: undefined, holders: [], asksGateway: false },
  },
];

describe('decideScaleToZero', () => {
  for (const { title, expected, ...given } of cases) {
    it(title, () => {
      const { holders, ...decision } = decideScaleToZero({
        service: serviceOf(given),
        deployment: given.deployment,
        slice: given.listed === undefined ? undefined : sampleSlice(given.listed),
        port: given.port === 'None' ? undefined : (given.port ?? PORT),
        reachable: given.reachable,
        pods: given.pods,
        activity: given.activity ?? new Map(),
        gateway: gatewayOf(given),
        now: NOW,
      });
      const { holders: expectedHolders, ...rest } = expected;
      if (expectedHolders !== undefined)
        assert.deepEqual(
          holders.map(({ metadata }) => metadata.uid),
          expectedHolders,
        );
      const seen = Object.fromEntries(Object.keys(rest).map((name) => [name, decision[name as keyof typeof decision]]));
      assert.deepEqual(seen, rest);
    });
  }

  it('waits for a pod that has just become ready without saying since when', () => {
    const { step, requeueAfterMs } = decideScaleToZero({
      service: sampleService(MAY_IDLE),
      deployment: deploymentOf(1),
      slice: sampleSlice([]),
      port: PORT,
      pods: [readyPod('p')],
      activity: new Map(),
      gateway: { pods: [], listeners: new Map() },
      now: NOW,
    });
    assert.deepEqual([step, requeueAfterMs], [undefined, 600_000]);
  });
});

function serviceOf({ spec = MAY_IDLE, wakeRequested, conditions }: Partial<Case>): ModelService {
  return sampleService(spec, {
    ...(wakeRequested === undefined ? {} : { scaling: { state: 'Idle', wakeRequestTime: ago(wakeRequested) } }),
    ...(conditions === undefined ? {} : { conditions }),
  });
}

function gatewayOf({ gateway = ['a', 'b'], listeners = {} }: Partial<Case>) {
  if (gateway === 'None') return undefined;
  return { pods: gateway.map((uid) => sampleGatewayPod(uid)), listeners: new Map(Object.entries(listeners)) };
}
