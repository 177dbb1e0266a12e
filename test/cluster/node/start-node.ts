import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ControlPlane } from '../control-plane.ts';
import type { GuardedProcess, ProcessGuard } from '../process-guard.ts';
import { until } from '../until.ts';
import {
  containerdConfiguration,
  containerdSocket,
  kubeletConfiguration,
  type NodeSettings,
  networkConfiguration,
  pluginConfigFolder,
} from './configurations.ts';
import type { Sandbox } from './sandbox.ts';

export interface NodePrograms {
  readonly kubelet: string;
  readonly kubeProxy: string;
}

/** containerd of its own, which has no image yet. */
export async function startContainerd(
  settings: NodeSettings,
  sandbox: Sandbox,
  guard: ProcessGuard,
  signal: AbortSignal,
): Promise<GuardedProcess> {
  const { folder } = settings;
  const config = await write(join(folder, 'containerd.toml'), containerdConfiguration(settings));
  await write(join(pluginConfigFolder(folder), '10-pods.conflist'), networkConfiguration(settings));
  const containerd = guard.run({
    ...sandbox.enter('containerd', ['--config', config]),
    logFile: join(folder, 'containerd.log'),
  });
  await until(signal, [sandbox.process, containerd], async () => {
    const { command, args } = sandbox.enter('ctr', ['--address', containerdSocket(folder), 'version']);
    const asked = guard.run({ command, args, logFile: join(folder, 'ctr.log') });
    const reason = await asked.exited;
    if (reason !== 'exit status 0') throw new Error(`ctr version ended with ${reason}`);
  });
  return containerd;
}

/** kubelet and kube-proxy beside a containerd that runs; ready when the API server calls the node so. */
export async function joinCluster(
  settings: NodeSettings,
  { kubelet: kubeletProgram, kubeProxy: kubeProxyProgram }: NodePrograms,
  sandbox: Sandbox,
  { client, kubeconfigPath }: ControlPlane,
  guard: ProcessGuard,
  signal: AbortSignal,
): Promise<void> {
  const { name, folder, addresses } = settings;
  const config = await write(join(folder, 'kubelet.json'), kubeletConfiguration(settings));
  const kubelet = guard.run({
    ...sandbox.enter(kubeletProgram, [
      `--config=${config}`,
      `--kubeconfig=${kubeconfigPath}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet-certs')}`,
      `--hostname-override=${name}`,
      `--node-ip=${addresses.nodeAddress}`,
    ]),
    logFile: join(folder, 'kubelet.log'),
  });
  const kubeProxy = guard.run({
    ...sandbox.enter(kubeProxyProgram, [
      `--kubeconfig=${kubeconfigPath}`,
      '--proxy-mode=iptables',
      `--cluster-cidr=${addresses.podNetwork}`,
      `--hostname-override=${name}`,
      // Else it waits 30 s for the node's own address.
      `--bind-address=${addresses.nodeAddress}`,
      // The kernel's table belongs to the whole machine.
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0s',
      '--conntrack-tcp-timeout-close-wait=0s',
    ]),
    logFile: join(folder, 'kube-proxy.log'),
  });
  await until(signal, [sandbox.process, kubeProxy, kubelet], async () => {
    const { status, body } = await client.request('GET', `/api/v1/nodes/${name}`);
    const { conditions = [] } = (body as NodeObject).status ?? {};
    if (status === 200 && conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return;
    throw new Error(`Node ${name} is not ready: ${JSON.stringify(conditions)}`);
  });
}

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}
