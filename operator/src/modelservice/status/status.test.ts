import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Deployment, Pod } from '../live-objects.ts';
import {
  OWNED_REPLICAS,
  readyPod,
  type SpecParts,
  sampleDeployment,
  sampleGatewayPod,
  samplePod,
  sampleService,
} from '../sample.ts';
import type { Condition, ModelServiceStatus } from '../types.generated.ts';
import type { StatusInput } from './facts.ts';
import { REASONS } from './reasons.ts';
import { statusOf } from './status.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const HOUR_AGO = '2026-01-01T11:00:00Z';

interface State {
  readonly title: string;
  readonly spec?: SpecParts;
  readonly before?: Partial<ModelServiceStatus>;
  readonly deployment: Deployment | undefined;
  readonly changed?: boolean;
  readonly pods?: readonly Pod[];
  readonly problems?: StatusInput['problems'];
  readonly capacity?: StatusInput['capacity'];
  /** `status reason` of Ready, Reconciling and Stalled. */
  readonly expected: readonly [string, string, string];
}

interface Counts {
  readonly replicas: number;
  readonly updated?: number;
  readonly ready?: number;
  readonly observed?: number;
  readonly progressing?: string;
  readonly refused?: string;
}

function deployment(size: number, counts: Counts): Deployment {
  const { replicas, updated = replicas, ready = 0, observed = 2, progressing = 'ReplicaSetUpdated', refused } = counts;
  return sampleDeployment({
    replicas: size,
    status: {
      observedGeneration: observed,
      replicas,
      updatedReplicas: updated,
      readyReplicas: ready,
      conditions: [
        {
          type: 'Progressing',
          status: progressing === 'ProgressDeadlineExceeded' ? 'False' : 'True',
          reason: progressing,
        },
        ...(refused === undefined ? [] : [{ type: 'ReplicaFailure', status: 'True', message: refused }]),
      ],
    },
  });
}

function condition(type: string, status: 'True' | 'False', reason: string, lastTransitionTime = HOUR_AGO): Condition {
  return { type, status, reason, message: '', lastTransitionTime, observedGeneration: 3 };
}

const crashed = samplePod('p', {
  containerStatuses: [
    { name: 'server', state: { terminated: { exitCode: 1, message: '{"reason":"ModelNotFound","message":"No."}' } } },
  ],
});
const unplaced = samplePod('u', {
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'No.' }],
});
const atRest = { conditions: [condition('Reconciling', 'False', 'UpToDate')] };

const states: readonly State[] = [
  {
    title: 'enough pods answer and the spec is rolled out',
    deployment: deployment(1, { replicas: 1, ready: 1 }),
    pods: [readyPod('p')],
    expected: ['True Serving', 'False UpToDate', 'False NotStalled'],
  },
  {
    title: 'an autoscaler adds pods that are not ready yet',
    spec: { scaling: { minReplicas: 1, maxReplicas: 8 } },
    deployment: deployment(8, { replicas: 8, ready: 1 }),
    expected: ['True Serving', 'False UpToDate', 'False NotStalled'],
  },
  {
    title: 'an autoscaler has just written and the Deployment’s controller has not looked yet',
    spec: { scaling: { minReplicas: 1, maxReplicas: 8 } },
    before: atRest,
    deployment: deployment(8, { replicas: 1, ready: 1, observed: 1 }),
    expected: ['True Serving', 'False UpToDate', 'False NotStalled'],
  },
  {
    title: 'this pass changed the Deployment and its controller has not looked yet',
    before: atRest,
    deployment: deployment(1, { replicas: 1, ready: 1, observed: 1 }),
    changed: true,
    expected: ['True RolloutInProgress', 'True RolloutInProgress', 'False NotStalled'],
  },
  {
    title: 'a rollout goes on and old pods answer',
    deployment: deployment(2, { replicas: 3, updated: 1, ready: 2 }),
    expected: ['True RolloutInProgress', 'True RolloutInProgress', 'False NotStalled'],
  },
  {
    title: 'a rollout goes on, old pods answer, and a new one shows a cause why it does not',
    deployment: deployment(2, { replicas: 3, updated: 1, ready: 2 }),
    pods: [crashed],
    expected: ['True RolloutInProgress', 'True ModelNotFound', 'False NotStalled'],
  },
  {
    title: 'a rollout replaces, for there is no GPU for a pod more',
    deployment: deployment(2, { replicas: 2, updated: 1, ready: 1 }),
    capacity: 'Replacing',
    expected: ['True RolloutInProgress', 'True ReplacingPods', 'False NotStalled'],
  },
  {
    title: 'a rollout replaces, and new pods show another cause why they do not answer',
    deployment: deployment(2, { replicas: 2, updated: 1, ready: 1 }),
    pods: [crashed],
    capacity: 'Replacing',
    expected: ['True RolloutInProgress', 'True ModelNotFound', 'False NotStalled'],
  },
  {
    title: 'a rollout waits for a GPU',
    deployment: deployment(1, { replicas: 2, updated: 1, ready: 1 }),
    pods: [unplaced],
    capacity: 'Blocked',
    expected: ['True RolloutInProgress', 'True BlockedByCapacity', 'False NotStalled'],
  },
  {
    title: 'a rollout waited for a GPU until its deadline',
    deployment: deployment(1, { replicas: 2, updated: 1, ready: 1, progressing: 'ProgressDeadlineExceeded' }),
    pods: [unplaced],
    capacity: 'Blocked',
    expected: ['True OldRevisionServing', 'False GaveUp', 'True BlockedByCapacity'],
  },
  {
    title: 'a rollout failed and old pods answer',
    deployment: deployment(2, { replicas: 3, updated: 1, ready: 2, progressing: 'ProgressDeadlineExceeded' }),
    pods: [crashed],
    expected: ['True OldRevisionServing', 'False GaveUp', 'True ModelNotFound'],
  },
  {
    title: 'a rollout failed without a visible cause',
    deployment: deployment(2, { replicas: 3, updated: 1, ready: 2, progressing: 'ProgressDeadlineExceeded' }),
    expected: ['True OldRevisionServing', 'False GaveUp', 'True DeadlineExceeded'],
  },
  {
    title: 'none answers yet',
    deployment: deployment(1, { replicas: 1 }),
    pods: [samplePod('p')],
    expected: ['False PodsStarting', 'True PodsStarting', 'False NotStalled'],
  },
  {
    title: 'none answers, for a reason, before the deadline',
    deployment: deployment(1, { replicas: 1 }),
    pods: [crashed],
    expected: ['False ModelNotFound', 'True ModelNotFound', 'False NotStalled'],
  },
  {
    title: 'none answers after the deadline',
    deployment: deployment(1, { replicas: 1, progressing: 'ProgressDeadlineExceeded' }),
    pods: [crashed],
    expected: ['False ModelNotFound', 'False GaveUp', 'True ModelNotFound'],
  },
  {
    title: 'all pods stopped answering a moment ago, long after the rollout',
    before: atRest,
    deployment: deployment(1, { replicas: 1, progressing: 'NewReplicaSetAvailable' }),
    pods: [crashed],
    expected: ['False ModelNotFound', 'True ModelNotFound', 'False NotStalled'],
  },
  {
    title: 'all pods stopped answering an hour ago, long after the rollout',
    before: { conditions: [condition('Reconciling', 'True', 'ModelNotFound')] },
    deployment: deployment(1, { replicas: 1, progressing: 'NewReplicaSetAvailable' }),
    pods: [crashed],
    expected: ['False ModelNotFound', 'False GaveUp', 'True ModelNotFound'],
  },
  {
    title: 'nothing answers and that has been told',
    before: {
      conditions: [condition('Reconciling', 'False', 'GaveUp'), condition('Stalled', 'True', 'ModelNotFound')],
    },
    deployment: deployment(1, { replicas: 1, progressing: 'NewReplicaSetAvailable' }),
    pods: [crashed],
    expected: ['False ModelNotFound', 'False GaveUp', 'True ModelNotFound'],
  },
  {
    title: 'a part of a fixed size is missing',
    spec: { scaling: { minReplicas: 3 } },
    deployment: deployment(3, { replicas: 3, ready: 2 }),
    expected: ['True PodsMissing', 'True PodsMissing', 'False NotStalled'],
  },
  {
    title: 'the API server admits no pods',
    deployment: deployment(1, { replicas: 0, refused: 'exceeded quota' }),
    expected: ['False PodsRefused', 'True PodsRefused', 'False NotStalled'],
  },
  {
    title: 'suspended, pods still ending',
    spec: { suspend: true },
    deployment: deployment(0, { replicas: 2, ready: 2 }),
    expected: ['False Suspended', 'True Suspended', 'False NotStalled'],
  },
  {
    title: 'suspended',
    spec: { suspend: true },
    deployment: deployment(0, { replicas: 0 }),
    expected: ['False Suspended', 'False UpToDate', 'False NotStalled'],
  },
  {
    title: 'set to zero by hand',
    spec: { scaling: { minReplicas: 0 } },
    deployment: deployment(0, { replicas: 0 }),
    expected: ['False ScaledToZero', 'False UpToDate', 'False NotStalled'],
  },
  {
    title: 'the Deployment is refused while old pods answer',
    deployment: deployment(1, { replicas: 1, ready: 1 }),
    problems: [{ kind: 'Deployment', reason: 'Refused', message: 'No.' }],
    expected: ['True OldRevisionServing', 'False GaveUp', 'True Refused'],
  },
  {
    title: 'the Service is somebody else’s',
    deployment: deployment(1, { replicas: 1, ready: 1 }),
    problems: [{ kind: 'Service', reason: 'NameTaken', message: 'Taken.' }],
    expected: ['False NameTaken', 'False GaveUp', 'True NameTaken'],
  },
  {
    title: 'the autoscaler is somebody else’s',
    deployment: deployment(1, { replicas: 1, ready: 1 }),
    problems: [{ kind: 'HorizontalPodAutoscaler', reason: 'NameTaken', message: 'Taken.' }],
    expected: ['True Serving', 'False GaveUp', 'True NameTaken'],
  },
  {
    title: 'there is no Deployment yet',
    deployment: undefined,
    expected: ['False PodsStarting', 'True PodsStarting', 'False NotStalled'],
  },
];

const MAY_IDLE = { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10m' } };

/** Went to zero because nobody asked, and has `replicas` now. */
function fromZero(replicas: number, ready = 0): Deployment {
  const { status } = deployment(replicas, { replicas, ready });
  return sampleDeployment({
    replicas,
    annotations: { 'modelservice.dev/idle-since': HOUR_AGO },
    managedFields: OWNED_REPLICAS,
    ...(status === undefined ? {} : { status }),
  });
}

const held = { obstacle: undefined, holders: [sampleGatewayPod('a')] } as const;
const unheld = { obstacle: 'GatewayNotReady', holders: [] } as const;

const zeroStates: readonly {
  readonly title: string;
  readonly spec?: SpecParts;
  readonly deployment: Deployment;
  readonly pods?: readonly Pod[];
  readonly zero: StatusInput['scaleToZero'];
  /** `status.scaling.state`, then `status reason` of Ready, Reconciling, Stalled and AutoscalingActive. */
  readonly expected: readonly [string, string, string, string, string | undefined];
  readonly message: RegExp;
}[] = [
  {
    title: 'idle, and the gateway holds requests',
    deployment: fromZero(0),
    zero: held,
    expected: ['Idle', 'True Idle', 'False UpToDate', 'False NotStalled', 'False ScalingPaused'],
    message: /The gateway holds the next request/,
  },
  {
    title: 'idle, and nobody holds requests',
    deployment: fromZero(0),
    zero: unheld,
    expected: ['Idle', 'False GatewayNotReady', 'False UpToDate', 'False NotStalled', 'False ScalingPaused'],
    message: /no gateway that would hold/,
  },
  {
    title: 'waking, and the gateway holds requests',
    deployment: fromZero(1),
    pods: [samplePod('p')],
    zero: held,
    expected: ['Waking', 'False Waking', 'True Waking', 'False NotStalled', undefined],
    message: /the gateway holds requests until one is ready\.$/,
  },
  {
    title: 'waking, and the pod failed',
    deployment: fromZero(1),
    pods: [crashed],
    zero: held,
    expected: ['Waking', 'False Waking', 'True ModelNotFound', 'False NotStalled', undefined],
    message: /until one is ready\. .*No\.$/,
  },
  {
    title: 'woken, and the pod answers',
    deployment: fromZero(1, 1),
    pods: [readyPod('p')],
    zero: held,
    expected: ['Autoscaled', 'True Serving', 'False UpToDate', 'False NotStalled', undefined],
    message: /are answered/,
  },
  {
    title: 'suspended at zero',
    spec: { ...MAY_IDLE, suspend: true },
    deployment: fromZero(0),
    zero: { obstacle: undefined, holders: [] },
    expected: ['Suspended', 'False Suspended', 'False UpToDate', 'False NotStalled', 'False ScalingPaused'],
    message: /spec\.suspend/,
  },
];

function outcomeOf(state: Omit<State, 'title' | 'expected'>) {
  return statusOf(
    {
      service: sampleService(state.spec ?? {}, state.before ?? {}),
      deployment: state.deployment,
      deploymentChanged: state.changed ?? false,
      pods: state.pods ?? [],
      problems: state.problems ?? [],
      capacity: state.capacity,
      now: NOW,
    },
    new Map(),
  );
}

describe('statusOf', () => {
  for (const state of states) {
    it(`${state.title}: ${state.expected.join(', ')}`, () => {
      const { conditions = [] } = outcomeOf(state).status;
      assert.deepEqual(
        conditions.slice(0, 3).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
        [
          ['Ready', state.expected[0]],
          ['Reconciling', state.expected[1]],
          ['Stalled', state.expected[2]],
        ],
      );
      for (const { reason, message, observedGeneration } of conditions) {
        assert.ok(reason in REASONS, `${reason} is in the table`);
        assert.notEqual(message, '');
        assert.equal(observedGeneration, 3);
      }
    });
  }

  for (const { title, spec = MAY_IDLE, deployment: found, pods = [], zero, expected, message } of zeroStates) {
    it(`of a service that may go to zero and is ${title}: ${expected.join(', ')}`, () => {
      const service = sampleService(spec);
      const input = { service, deployment: found, deploymentChanged: false, pods, problems: [], now: NOW };
      const { conditions = [], scaling } = statusOf({ ...input, scaleToZero: zero }, new Map()).status;
      const told = ['Ready', 'Reconciling', 'Stalled', 'AutoscalingActive'].map((type) => {
        const one = conditions.find((each) => each.type === type);
        return one && `${one.status} ${one.reason}`;
      });
      assert.deepEqual([scaling?.state, ...told], expected);
      assert.match(conditions[0]?.message ?? '', message);
    });
  }

  const loading = samplePod('l', {
    conditions: [{ type: 'PodScheduled', status: 'True' }],
    containerStatuses: [{ name: 'server', ready: false, started: false, state: { running: {} } }],
  });
  const overloaded = samplePod('o', {
    conditions: [{ type: 'PodScheduled', status: 'True' }],
    containerStatuses: [{ name: 'server', ready: false, started: true, state: { running: {} } }],
  });
  const specific: readonly (readonly [string, Omit<State, 'title' | 'expected'>, readonly (string | undefined)[]])[] = [
    [
      'pods not looked at',
      { pods: [samplePod('p')], deployment: deployment(1, { replicas: 1 }) },
      [undefined, 'False Loading'],
    ],
    [
      'no node',
      { pods: [unplaced], deployment: deployment(1, { replicas: 1 }) },
      ['False Unschedulable', 'False Loading'],
    ],
    [
      'a model that loads',
      { pods: [loading], deployment: deployment(1, { replicas: 1 }) },
      ['True NodesFound', 'False Loading'],
    ],
    [
      'a model that cannot be loaded',
      { pods: [crashed], deployment: deployment(1, { replicas: 1 }) },
      [undefined, 'False ModelNotFound'],
    ],
    [
      'a server too busy for its probe',
      { pods: [overloaded], deployment: deployment(1, { replicas: 1 }) },
      ['True NodesFound', 'True Loaded'],
    ],
    [
      'old pods that have loaded another model',
      { pods: [loading, overloaded], deployment: deployment(2, { replicas: 3, updated: 1, ready: 2 }) },
      ['True NodesFound', 'False Loading'],
    ],
    ['a size of zero', { spec: { suspend: true }, deployment: deployment(0, { replicas: 0 }) }, [undefined, undefined]],
  ];
  for (const [title, state, expected] of specific) {
    it(`of ${title} has Scheduled ${expected[0]}, ModelLoaded ${expected[1]}`, () => {
      const { conditions = [] } = outcomeOf(state).status;
      const told = ['Scheduled', 'ModelLoaded'].map((type) => {
        const one = conditions.find((each) => each.type === type);
        return one && `${one.status} ${one.reason}`;
      });
      assert.deepEqual(told, expected);
    });
  }

  it('stops while somebody has paused the rollout, and says who has to go on', () => {
    const { status, metadata, spec, ...rest } = deployment(1, { replicas: 1, updated: 0, ready: 1 });
    const paused: Deployment = { ...rest, metadata, spec: { ...spec, paused: true }, ...(status && { status }) };
    const { conditions = [] } = outcomeOf({ deployment: paused, pods: [readyPod('p')] }).status;
    assert.deepEqual(
      conditions.slice(0, 3).map(({ status: value, reason }) => `${value} ${reason}`),
      ['True OldRevisionServing', 'False GaveUp', 'True RolloutPaused'],
    );
    assert.match(conditions[2]?.message ?? '', /kubectl rollout resume deployment mnist/);
  });

  it('tells of the last try to pull an image while the kubelet only waits for the next', () => {
    const pull = (reason: string, message: string): Pod =>
      samplePod('p', { containerStatuses: [{ name: 'server', state: { waiting: { reason, message } } }] });
    const starting = deployment(1, { replicas: 1 });
    const tried = outcomeOf({ deployment: starting, pods: [pull('ErrImagePull', 'server:wasm: not found')] }).status;
    assert.equal(tried.conditions?.[0]?.reason, 'ImageNotFound');
    const waits = pull('ImagePullBackOff', 'Back-off pulling image "server:wasm"');
    assert.deepEqual(outcomeOf({ before: tried, deployment: starting, pods: [waits] }).status, tried);
    assert.equal(outcomeOf({ deployment: starting, pods: [waits] }).status.conditions?.[0]?.reason, 'ImagePullFailed');
  });

  it('keeps lastTransitionTime until the status flips', () => {
    const { conditions = [] } = outcomeOf({
      before: {
        conditions: [condition('Ready', 'True', 'RolloutInProgress'), condition('Stalled', 'True', 'Refused')],
      },
      deployment: deployment(1, { replicas: 1, ready: 1 }),
    }).status;
    const times = conditions.slice(0, 3).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]);
    assert.deepEqual(times, [
      ['Ready', HOUR_AGO],
      ['Reconciling', '2026-01-01T12:00:00Z'],
      ['Stalled', '2026-01-01T12:00:00Z'],
    ]);
  });

  it('looks again when the deadline of pods that stopped answering has passed', () => {
    const state = { deployment: deployment(1, { replicas: 1, progressing: 'NewReplicaSetAvailable' }) };
    const since = '2026-01-01T11:50:00Z';
    const before = { conditions: [condition('Reconciling', 'True', 'PodsStarting', since)] };
    // 10 min to start and 10 min for scheduling and pulling, of which 10 min have passed.
    assert.equal(outcomeOf({ ...state, before }).requeueAfterMs, 600_000);
    assert.equal(outcomeOf({ deployment: deployment(1, { replicas: 1, ready: 1 }) }).requeueAfterMs, undefined);
  });

  it('looks again when a pod will have waited too long for its volumes', () => {
    const pod = samplePod('p', {
      phase: 'Pending',
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T11:59:30Z' },
        { type: 'PodReadyToStartContainers', status: 'False' },
      ],
    });
    assert.equal(outcomeOf({ deployment: deployment(1, { replicas: 1 }), pods: [pod] }).requeueAfterMs, 90_000);
  });

  it('is the same when nothing has changed', () => {
    const state = { deployment: deployment(1, { replicas: 1, ready: 1 }) };
    const first = outcomeOf(state).status;
    assert.deepEqual(outcomeOf({ ...state, before: first }).status, first);
  });

  it('keeps what is known of the model until a pod of another model tells', () => {
    const known = {
      name: 'mnist',
      version: '1',
      uri: 'file:///examples/mnist/model',
      digest: 'sha256:1',
      engine: 'Wasm',
    };
    const before = { models: [known] };
    assert.deepEqual(outcomeOf({ before, deployment: undefined }).status.models, [known]);
    const spec = { model: { uri: 'file:///other' } };
    assert.deepEqual(outcomeOf({ spec, before, deployment: undefined }).status.models, [
      { name: 'mnist', version: '1', uri: 'file:///other' },
    ]);
  });
});
