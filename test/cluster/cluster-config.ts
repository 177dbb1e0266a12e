import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the environment says about clusters for tests. */
export interface ClusterConfig {
  /** `MODELSERVICE_TEST_KUBECONFIG`; the ambient KUBECONFIG is never used: it may be somebody's production. */
  readonly kubeconfig: string | undefined;
  /** `KUBEBUILDER_ASSETS`: a folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler. */
  readonly assets: string | undefined;
  /** Where builds are kept: `cluster` below {@link cacheRoot}. */
  readonly cacheDir: string;
  /** `PATH`, where `kubectl` and `helm` are looked for. */
  readonly path: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything is kept that takes long to make: `${MODELSERVICE_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/modelservice}`. */
export function cacheRoot(env: Environment): string {
  return (
    nonEmpty(env.MODELSERVICE_CACHE_DIR) ??
    join(nonEmpty(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache'), 'modelservice')
  );
}

export function clusterConfig(env: Environment): ClusterConfig {
  return {
    kubeconfig: nonEmpty(env.MODELSERVICE_TEST_KUBECONFIG),
    assets: nonEmpty(env.KUBEBUILDER_ASSETS),
    cacheDir: join(cacheRoot(env), 'cluster'),
    path: env.PATH ?? '',
  };
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
