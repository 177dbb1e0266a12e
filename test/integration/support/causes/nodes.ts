import { after, before } from 'mocha';
import { RESOURCES } from '../resource-types.ts';
import { testApi } from '../test-run.ts';

/** Keeps the pods of everybody else away: the suite's own tolerate it. */
export const NODES_TAINT = 'causes.modelservice.dev/nodes';
/** Nobody tolerates that one. */
const DEDICATED_TAINT = 'causes.modelservice.dev/dedicated';
/** Half of what the node lifecycle controller waits before it calls a node lost is 20 s. */
const HEARTBEAT_MS = 10_000;

const CAPACITY = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '100Gi', pods: '500' };

/** Two nodes that the real scheduler sees and binds pods to. No kubelet runs on them: nothing is ever started. */
export function useNodes(suite: string): void {
  const names = [`${suite}-free`, `${suite}-dedicated`] as const;
  let beat: NodeJS.Timeout | undefined;

  async function heartbeat(): Promise<void> {
    const now = new Date().toISOString();
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: now };
    const status = { capacity: CAPACITY, allocatable: CAPACITY, conditions: [{ ...ready, lastTransitionTime: now }] };
    await Promise.all(names.map((name) => testApi().mergePatch(RESOURCES.nodes, { name }, { status }, 'status')));
  }

  before('add nodes', async () => {
    for (const [index, name] of names.entries()) {
      const taints = [{ key: NODES_TAINT, effect: 'NoSchedule' }];
      if (index === 1) taints.push({ key: DEDICATED_TAINT, effect: 'NoSchedule' });
      const labels = { 'kubernetes.io/hostname': name, disk: index === 1 ? 'ssd' : 'hdd' };
      await testApi().create(RESOURCES.nodes, { metadata: { name, labels }, spec: { taints } });
    }
    await heartbeat();
    beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  });
  after('take the nodes away', async () => {
    clearInterval(beat);
    await Promise.all(names.map((name) => testApi().delete(RESOURCES.nodes, { name })));
  });
}
