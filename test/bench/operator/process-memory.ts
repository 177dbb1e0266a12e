import { readFile } from 'node:fs/promises';

export interface ProcessMemory {
  readonly residentMiB: number;
  /** The most since it started. */
  readonly peakMiB: number;
}

/** Memory of a program that logs with pino, whose lines tell its process; Linux only. */
export async function memoryOf(program: { logs(): Promise<string> }): Promise<ProcessMemory> {
  const pid = /"pid":(\d+)/.exec(await program.logs())?.[1];
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { residentMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') };
}
