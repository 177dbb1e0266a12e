import { join } from 'node:path';
import type { AddressBlock } from './address-block.ts';

/** What the parts of a node are told about it. */
export interface NodeSettings {
  /** Also the name of its control group. */
  readonly name: string;
  /** Holds everything that the node writes. */
  readonly folder: string;
  readonly addresses: AddressBlock;
  /** Holds the CNI plugins. */
  readonly pluginFolder: string;
  /** Image that holds a pod's namespaces open. */
  readonly pauseImage: string;
}

export function containerdSocket(folder: string): string {
  return join(folder, 'containerd.sock');
}

export function pluginConfigFolder(folder: string): string {
  return join(folder, 'cni');
}

/** containerd's own configuration, version 2: 1.6 of Debian 12 reads it, and 2.x still does. */
export function containerdConfiguration({ folder, pluginFolder, pauseImage }: NodeSettings): string {
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket(folder)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Else every sandbox fails where the machine does not let a score go down: "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${pluginFolder}"
  conf_dir = "${pluginConfigFolder(folder)}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
}

/** One bridge for all pods; hairpin lets a pod reach itself through its Service. */
export function networkConfiguration({ addresses }: NodeSettings): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: addresses.podNetwork }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: '/run/cni',
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

export function kubeletConfiguration({ name, folder, addresses }: NodeSettings): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.nodeAddress,
    // Its port is reachable from this machine alone.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${containerdSocket(folder)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${name}`,
    // kubelet refuses version 1 of control groups since Kubernetes 1.35 unless it is told not to.
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // How full this machine is, is none of the suites' business.
    evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    podLogsDir: join(folder, 'pods'),
    resolvConf: '/etc/resolv.conf',
    serializeImagePulls: false,
  });
}
