import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/** A folder with go.mod and go.sum that pin what is built, and what comes out. */
export interface GoModule {
  readonly folder: string;
  /** Told apart from what else is built from the same folder. Absent: the folder's main part. */
  readonly part?: string;
  /** Name of the binary, and the package that it is built from. */
  readonly binaries: readonly { readonly name: string; readonly package: string }[];
  /** How long the first build takes on 2 cores: what a person is told. */
  readonly minutes: number;
  /** Module whose required version is stamped into the binaries, which they report as theirs. */
  readonly versionFrom: string;
  /** Full names of the Go variables that hold the version; `{major}` and `{minor}` are replaced too. */
  readonly stamps: (version: string) => readonly string[];
}

export const CONTROL_PLANE: GoModule = {
  folder: fileURLToPath(new URL('binaries', import.meta.url)),
  binaries: [
    { name: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
    { name: 'kube-apiserver', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
    { name: 'kube-controller-manager', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
    { name: 'kube-scheduler', package: 'k8s.io/kubernetes/cmd/kube-scheduler' },
    { name: 'kubectl', package: 'k8s.io/kubernetes/cmd/kubectl' },
  ],
  minutes: 6,
  versionFrom: 'k8s.io/kubernetes',
  stamps: kubernetesStamps,
};

/** What a machine adds to become a node; built only for those who ask for one. */
export const NODE: GoModule = {
  folder: CONTROL_PLANE.folder,
  part: 'node',
  binaries: [
    { name: 'kubelet', package: 'k8s.io/kubernetes/cmd/kubelet' },
    { name: 'kube-proxy', package: 'k8s.io/kubernetes/cmd/kube-proxy' },
    { name: 'pause', package: 'modelservice.dev/test/cluster/binaries/pause' },
  ],
  minutes: 1,
  versionFrom: 'k8s.io/kubernetes',
  stamps: kubernetesStamps,
};

export const HELM: GoModule = {
  folder: fileURLToPath(new URL('helm-binary', import.meta.url)),
  binaries: [{ name: 'helm', package: 'helm.sh/helm/v3/cmd/helm' }],
  minutes: 2,
  versionFrom: 'helm.sh/helm/v3',
  stamps: (version) => [`helm.sh/helm/v3/internal/version.version=${version}`],
};

export const METRICS_SERVER: GoModule = {
  folder: fileURLToPath(new URL('metrics-server-binary', import.meta.url)),
  binaries: [{ name: 'metrics-server', package: 'sigs.k8s.io/metrics-server/cmd/metrics-server' }],
  minutes: 1,
  versionFrom: 'sigs.k8s.io/metrics-server',
  stamps: (version) => [`k8s.io/client-go/pkg/version.gitVersion=${version}`],
};

export const PROMETHEUS_ADAPTER: GoModule = {
  folder: fileURLToPath(new URL('adapter-binary', import.meta.url)),
  binaries: [{ name: 'prometheus-adapter', package: 'modelservice.dev/test/cluster/adapter-binary' }],
  minutes: 1,
  versionFrom: 'sigs.k8s.io/prometheus-adapter',
  stamps: () => [],
};

function kubernetesStamps(version: string): readonly string[] {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const variable = 'k8s.io/component-base/version';
  return [`${variable}.gitVersion=${version}`, `${variable}.gitMajor=${major}`, `${variable}.gitMinor=${minor}`];
}

/**
 * Names the cache folder of a build: other pins, another platform or other sources are another build.
 *
 * @param sources text of the module's own files that are compiled; most modules have none
 */
export function buildKey(goMod: string, goSum: string, platform: string, sources: readonly string[] = []): string {
  const hash = createHash('sha256');
  for (const part of [goMod, goSum, platform, ...sources]) hash.update(`${Buffer.byteLength(part)}\n`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Where, inside of the module, those of its binaries are from which are of its own packages: `.`, `pause`. */
export function ownPackages({ binaries }: GoModule, goMod: string): readonly string[] {
  const own = /^module (\S+)$/m.exec(goMod)?.[1];
  return binaries.flatMap(({ package: source }) => {
    if (source === own) return ['.'];
    return own !== undefined && source.startsWith(`${own}/`) ? [source.slice(own.length + 1)] : [];
  });
}

/** The version of `module` in the text of a go.mod, for example `v1.36.3`. */
export function requiredVersion(goMod: string, module: string): string {
  const line = goMod.split('\n').find((text) =>
    text
      .trim()
      .replace(/^require /, '')
      .startsWith(`${module} v`),
  );
  const version = line
    ?.trim()
    .replace(/^require /, '')
    .split(' ')[1];
  if (version === undefined) throw new Error(`go.mod requires no version of ${module}; add it under "require".`);
  return version;
}
