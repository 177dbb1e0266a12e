import type { GuardedProcess } from './process-guard.ts';

/** A part of a control plane that a suite may take away for a while. */
export interface Component {
  /** SIGKILL, as in a crash; resolves once it has ended. */
  kill(): Promise<void>;
  /**
   * Starts it again where it was. An API server answers then; of a controller one sees it by what it does.
   *
   * @param flags beside its own; of one that stands twice the last counts
   */
  start(flags?: readonly string[]): Promise<void>;
}

/** @param ready resolves once the process does its work */
export function componentOf(
  first: GuardedProcess,
  run: (flags: readonly string[]) => GuardedProcess,
  ready: (process: GuardedProcess) => Promise<void>,
): Component {
  let process = first;
  return {
    async kill() {
      process.kill('SIGKILL');
      await process.exited;
    },
    async start(flags = []) {
      process = run(flags);
      await ready(process);
    },
  };
}
