import { readdir, readFile } from 'node:fs/promises';
import type { PodObject } from './observed.ts';

/**
 * Processes of a pod that runs on this machine, as this machine numbers them, so that a test can stop or kill one from
 * outside, as the kernel does when memory runs out.
 *
 * @param program part of the command line, such as `server.js`: beside it a pod has the process that holds it open
 */
export async function podProcesses({ metadata }: PodObject, program: string): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const belongs = await Promise.all(
    ids.map(async (id) => {
      const [groups, commandLine] = await Promise.all([read(`/proc/${id}/cgroup`), read(`/proc/${id}/cmdline`)]);
      return groups.includes(`/pod${metadata.uid}/`) && commandLine.includes(program);
    }),
  );
  return ids.filter((_, index) => belongs[index]).map(Number);
}

/** @throws when the pod has no such process */
export async function signalPod(pod: PodObject, program: string, signal: NodeJS.Signals): Promise<void> {
  const processes = await podProcesses(pod, program);
  if (processes.length === 0) throw new Error(`Pod ${pod.metadata.name} has no process ${program} on this machine.`);
  for (const id of processes) process.kill(id, signal);
}

/** Empty when the process is gone. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
