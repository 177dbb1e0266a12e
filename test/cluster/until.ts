import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { GuardedProcess } from './process-guard.ts';

/** How long a component may take until it answers. The slowest takes 10 s on an idle machine. */
const START_DEADLINE_MS = 90_000;
const LOG_TAIL_LINES = 15;

/** Repeats `attempt` until it succeeds, one of the processes ends, or the deadline passes. */
export async function until<T>(
  signal: AbortSignal,
  processes: readonly GuardedProcess[],
  attempt: () => Promise<T>,
): Promise<T> {
  const ended: { value: GuardedProcess; reason: string }[] = [];
  for (const value of processes) void value.exited.then((reason) => ended.push({ value, reason }));
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const [first] = ended;
      if (first !== undefined) throw new Error(await tail(first.value.logFile, `ended with ${first.reason}`));
      if (performance.now() > deadline) {
        const last = processes[processes.length - 1];
        const logFile = last?.logFile ?? '';
        throw new Error(await tail(logFile, `did not answer within ${START_DEADLINE_MS / 1000} s`), { cause: error });
      }
    }
    await delay(100, undefined, { signal });
  }
}

async function tail(logFile: string, what: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const lines = log.trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  const name = logFile.replace(/^.*\//, '').replace(/\.log$/, '');
  return `${name} ${what}; the end of its log:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}
