// A node of which there is only the object: the real scheduler gives pods to it, and the test plays its kubelet.
import { after, before } from 'mocha';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { reportReady } from './kubelet.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi, testRun } from './test-run.ts';

export interface StandInNode {
  /** `spec.pod` of what is to run there; nothing else does. */
  readonly pod: Readonly<Record<string, unknown>>;
  /**
   * One look of its kubelet at a namespace's pods: those that end are gone, the others are ready, if `starts` says so.
   *
   * @returns how many are ready
   */
  look(starts?: boolean): Promise<number>;
}

/**
 * Gives the suite that calls it a node with these resources, from `before` to `after`; call it after the operator was
 * asked for, so that its pods are gone before the operator is.
 */
export function useStandInNode(
  namespace: () => string,
  resources: Readonly<Record<string, string>>,
): () => StandInNode {
  let node: StandInNode | undefined;
  before('make the node', async () => {
    const name = `stand-in-${testRun().id}`;
    node = await createNode(name, namespace(), resources);
  });
  after('delete the node and its pods', async () => {
    await kubectl(['delete', 'msvc', '--all', '--namespace', namespace()]);
    await eventually(
      async () => {
        await node?.look(false);
        return testApi().list(RESOURCES.pods, { namespace: namespace() });
      },
      { because: 'its pods are gone', until: ({ length }) => length === 0 },
    );
    await testApi().delete(RESOURCES.nodes, { name: `stand-in-${testRun().id}` });
  });
  return () => {
    if (node === undefined) throw new Error('The node exists from the suite\'s "before" hook on; ask for it later.');
    return node;
  };
}

async function createNode(
  name: string,
  namespace: string,
  resources: Readonly<Record<string, string>>,
): Promise<StandInNode> {
  const api = testApi();
  const capacity = { cpu: '64', memory: '64Gi', pods: '100', ...resources };
  const heartbeat = () => ({
    conditions: [{ type: 'Ready', status: 'True', reason: 'Test', lastHeartbeatTime: new Date().toISOString() }],
  });
  await api.create(RESOURCES.nodes, {
    metadata: { name },
    spec: { taints: [{ key: name, effect: 'NoSchedule' }] },
    status: { capacity, allocatable: capacity, ...heartbeat() },
  });
  return {
    pod: { tolerations: [{ key: name, operator: 'Exists' }] },
    async look(starts = true) {
      await api.mergePatch(RESOURCES.nodes, { name }, { status: heartbeat() }, 'status');
      const pods = (await api.list(RESOURCES.pods, { namespace })).filter(({ spec }) => spec?.nodeName === name);
      const ending = pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      for (const { metadata } of ending) {
        const flags = ['--force', '--grace-period=0', '--ignore-not-found', '--namespace', namespace];
        await kubectl(['delete', 'pod', metadata.name, ...flags]);
      }
      const present = pods.filter((pod) => !ending.includes(pod));
      const waiting = present.filter(({ status }) => status?.phase === 'Pending');
      if (starts) await Promise.all(waiting.map((pod) => reportReady(pod)));
      return present.length - (starts ? 0 : waiting.length);
    },
  };
}
