import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuardedProcess, ProcessGuard } from '../process-guard.ts';
import { until } from '../until.ts';
import type { AddressBlock } from './address-block.ts';

export interface SandboxOptions {
  /** Host name and control group. */
  readonly name: string;
  /** Program that waits and reaps: the first process. */
  readonly pause: string;
  /** Appears when the sandbox is open. */
  readonly stateFile: string;
}

/** Namespaces of processes, mounts and network in which a node runs. They end with the guard, however that ends. */
export interface Sandbox {
  readonly addresses: AddressBlock;
  readonly process: GuardedProcess;
  /** Command and arguments that start `command` inside. */
  enter(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] };
}

interface SandboxState {
  readonly pid: number;
  readonly addresses: AddressBlock;
}

export async function openSandbox(
  guard: ProcessGuard,
  { name, pause }: { readonly name: string; readonly pause: string },
  signal: AbortSignal,
): Promise<Sandbox> {
  const options: SandboxOptions = { name, pause, stateFile: join(guard.folder, 'sandbox.json') };
  const main = fileURLToPath(new URL('sandbox-main.ts', import.meta.url));
  const sandbox = guard.run({
    // It is told when the guard ends in a way that lets it do nothing more.
    command: 'setpriv',
    args: ['--pdeathsig', 'TERM', process.execPath, main, JSON.stringify(options)],
    logFile: join(guard.folder, 'sandbox.log'),
  });
  const state = await until(signal, [sandbox], async () => {
    return JSON.parse(await readFile(options.stateFile, 'utf8')) as SandboxState;
  });
  return {
    addresses: state.addresses,
    process: sandbox,
    enter: (command, args) => ({
      command: 'nsenter',
      args: ['--target', String(state.pid), '--mount', '--net', '--pid', '--ipc', '--uts', '--', command, ...args],
    }),
  };
}
