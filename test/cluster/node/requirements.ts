import { findExecutable } from '../tool.ts';

/** Commands of the machine that a node needs, and the Debian packages that have them. */
const COMMANDS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  docker: 'docker.io',
};

const PLUGIN_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'];
const PLUGIN_PACKAGE = 'containernetworking-plugins';

/** The folder that holds the CNI plugins; undefined when they are not installed. */
export async function pluginFolder(): Promise<string | undefined> {
  for (const folder of PLUGIN_FOLDERS) {
    const found = await Promise.all(PLUGINS.map((name) => findExecutable(name, [folder])));
    if (!found.includes(undefined)) return folder;
  }
  return undefined;
}

/** Why no node can run here, in a few words that say what to do; undefined when one can. */
export async function nodeObstacle(path: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux') return `a node needs Linux, and this is ${process.platform}`;
  if (process.geteuid?.() !== 0) return 'a node needs root';
  const packages = new Set<string>();
  for (const [command, source] of Object.entries(COMMANDS)) {
    if ((await findExecutable(command, path)) === undefined) packages.add(source);
  }
  if ((await pluginFolder()) === undefined) packages.add(PLUGIN_PACKAGE);
  if (packages.size === 0) return undefined;
  return `a node needs more software: apt-get install ${[...packages].sort().join(' ')}`;
}
