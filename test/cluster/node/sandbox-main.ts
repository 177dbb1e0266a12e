// Runs as a process of its own, started by sandbox.ts: opens namespaces of processes, mounts and network for a node and
// joins them to this machine by one link. When it ends, all that was started in them ends, and what they mounted, linked
// and filtered is gone; it removes the control groups, which no namespace takes along.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type AddressBlock, freeBlocks } from './address-block.ts';
import { cgroupMounts, createGroups, removeGroups } from './cgroups.ts';
import type { SandboxOptions } from './sandbox.ts';

const run = promisify(execFile);

// What programs of a node write at fixed places stays among them, in memory.
const OPEN = `set -e
hostname "$1"
for folder in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$folder"; done
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo open
exec "$2"`;

const options = JSON.parse(process.argv[2] ?? '{}') as SandboxOptions;
const mounts = cgroupMounts(await readFile('/proc/self/mounts', 'utf8'));
const flags = ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
const namespaces = spawn(
  'setpriv',
  ['--pdeathsig', 'KILL', 'unshare', ...flags, 'sh', '-c', OPEN, 'sh', options.name, options.pause],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const ended = once(namespaces, 'exit');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => namespaces.kill('SIGKILL'));

try {
  await createGroups(mounts, options.name);
  await opened(namespaces);
  const pid = await firstProcess(namespaces);
  const addresses = await link(pid);
  await writeFile(`${options.stateFile}.new`, JSON.stringify({ pid, addresses }));
  await rename(`${options.stateFile}.new`, options.stateFile);
} catch (error) {
  console.error(error);
  namespaces.kill('SIGKILL');
}
await ended;
await removeGroups(mounts, options.name);

async function opened({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) throw new Error('no output to read');
  for await (const line of createInterface(stdout)) if (line === 'open') return;
  throw new Error('The namespaces did not open; the lines above say why.');
}

/** Of the namespace of processes, as this machine numbers it. */
async function firstProcess({ pid }: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim());
}

async function link(pid: number): Promise<AddressBlock> {
  const { stdout } = await run('ip', ['-json', 'route', 'show', 'table', 'all']);
  const routes = (JSON.parse(stdout) as readonly { readonly dst: string }[]).map(({ dst }) => dst);
  for (const addresses of freeBlocks(routes)) {
    const { block, hostAddress, nodeAddress, linkPrefixLength, network } = addresses;
    const device = `msnode${block}`;
    try {
      await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
    } catch (error) {
      // Another run was faster.
      if (/File exists/.test((error as { stderr?: string }).stderr ?? '')) continue;
      throw error;
    }
    await run('ip', ['address', 'add', `${hostAddress}/${linkPrefixLength}`, 'dev', device]);
    await run('ip', ['link', 'set', device, 'up']);
    const inside = (...args: string[]) => run('nsenter', ['--target', String(pid), '--net', 'ip', ...args]);
    await inside('address', 'add', `${nodeAddress}/${linkPrefixLength}`, 'dev', 'eth0');
    await inside('link', 'set', 'eth0', 'up');
    await inside('route', 'add', 'default', 'via', hostAddress);
    await run('ip', ['route', 'add', network, 'via', nodeAddress]);
    return addresses;
  }
  throw new Error('This machine has routes into every block of 10.0.0.0/8 that a node could use.');
}
