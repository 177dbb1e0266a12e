import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { K3sContainer, type StartedK3sContainer } from '@testcontainers/k3s';
import { foreignCluster } from './foreign-cluster.ts';
import type { TestCluster } from './test-cluster.ts';

/** K3s of the Kubernetes version that binaries/go.mod pins. */
export const K3S_IMAGE = 'rancher/k3s:v1.36.3-k3s1';

/** A K3s container on the Docker engine that testcontainers finds. */
export async function startDockerCluster(signal: AbortSignal): Promise<TestCluster> {
  const container = await new K3sContainer(K3S_IMAGE)
    .withCommand([
      'server',
      '--disable=traefik,metrics-server,servicelb',
      '--kube-controller-manager-arg=horizontal-pod-autoscaler-sync-period=2s',
    ])
    .start();
  const folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
  const stop = async () => {
    await rm(folder, { recursive: true, force: true });
    await container.stop();
  };
  try {
    signal.throwIfAborted();
    const kubeconfigPath = await writeKubeconfigOf(container, folder);
    return await foreignCluster({ kubeconfigPath, origin: `K3s in Docker (${K3S_IMAGE})`, ephemeral: true, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeKubeconfigOf(container: StartedK3sContainer, folder: string): Promise<string> {
  const path = join(folder, 'k3s.kubeconfig');
  await writeFile(path, container.getKubeConfig(), { mode: 0o600 });
  return path;
}
