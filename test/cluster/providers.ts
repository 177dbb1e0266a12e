import { delimiter } from 'node:path';
import type { ClusterConfig } from './cluster-config.ts';
import { foreignCluster } from './foreign-cluster.ts';
import { builtBefore, goBuild } from './go-build.ts';
import { CONTROL_PLANE } from './go-modules.ts';
import { startLocalCluster } from './local-cluster.ts';
import type { ClusterLog, TestCluster } from './test-cluster.ts';
import { findExecutable } from './tool.ts';

/** One way to a cluster. */
export interface ClusterProvider {
  /** For a person: `Docker`, `the cluster that … names`. */
  readonly name: string;
  /** Why this way is closed here, in a few words; undefined when it can be tried. */
  unavailable(signal: AbortSignal): Promise<string | undefined>;
  start(signal: AbortSignal, log: ClusterLog): Promise<TestCluster>;
}

/** What a control plane with working Deployments, HPAs and garbage collection consists of. */
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Every way there is, the preferred first. */
export function clusterProviders(config: ClusterConfig): readonly ClusterProvider[] {
  return [namedKubeconfig(config), docker(), assets(config), goModules(config)];
}

function namedKubeconfig({ kubeconfig }: ClusterConfig): ClusterProvider {
  return {
    name: 'MODELSERVICE_TEST_KUBECONFIG',
    unavailable: async () => (kubeconfig === undefined ? 'it is not set' : undefined),
    start: () =>
      foreignCluster({
        kubeconfigPath: kubeconfig ?? '',
        origin: 'named by MODELSERVICE_TEST_KUBECONFIG',
        ephemeral: false,
        stop: async () => {},
      }),
  };
}

function docker(): ClusterProvider {
  return {
    name: 'Docker',
    async unavailable() {
      // The library is large; a machine without Docker still pays for it here, 0.5 s.
      const { getContainerRuntimeClient } = await import('testcontainers');
      return await getContainerRuntimeClient().then(
        () => undefined,
        () => 'no engine answers',
      );
    },
    async start(signal) {
      const { startDockerCluster } = await import('./docker-cluster.ts');
      return await startDockerCluster(signal);
    },
  };
}

function assets({ assets: folder }: ClusterConfig): ClusterProvider {
  return {
    name: 'KUBEBUILDER_ASSETS',
    async unavailable() {
      if (folder === undefined) return 'it is not set';
      const missing = await missingComponents(folder);
      return missing.length === 0 ? undefined : `${folder} has no ${missing.join(', no ')}, which the suites need`;
    },
    start: (signal) => startLocalCluster(folder ?? '', `from KUBEBUILDER_ASSETS=${folder}`, signal),
  };
}

function goModules({ cacheDir, path }: ClusterConfig): ClusterProvider {
  return {
    name: 'a build of the pinned Kubernetes modules with Go',
    async unavailable() {
      if ((await builtBefore(CONTROL_PLANE, cacheDir)) !== undefined) return undefined;
      const go = await findExecutable('go', path.split(delimiter));
      return go === undefined ? 'there is no Go toolchain on PATH' : undefined;
    },
    async start(signal, log) {
      const folder = await goBuild(CONTROL_PLANE, { cacheDir, log, signal });
      return await startLocalCluster(folder, 'built from the Go modules that test/cluster/binaries pins', signal);
    },
  };
}

async function missingComponents(folder: string): Promise<readonly string[]> {
  const found = await Promise.all(COMPONENTS.map((name) => findExecutable(name, [folder])));
  return COMPONENTS.filter((_, index) => found[index] === undefined);
}
