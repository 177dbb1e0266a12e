import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a run tells its guard. */
export type GuardOrder =
  | { readonly type: 'folder'; readonly path: string }
  | {
      readonly type: 'start';
      readonly id: number;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly cwd: string | undefined;
      readonly logFile: string;
      readonly stopSignal: NodeJS.Signals;
    }
  | { readonly type: 'kill'; readonly id: number; readonly signal: NodeJS.Signals };

/** What a guard tells its run. */
export type GuardEvent = { readonly type: 'exit'; readonly id: number; readonly reason: string };

export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Receives stdout and stderr, appended. */
  readonly logFile: string;
  /** What it is sent when the guard ends. Default: SIGTERM, and SIGKILL 5 s later. */
  readonly stopSignal?: NodeJS.Signals | undefined;
}

export interface GuardedProcess {
  readonly logFile: string;
  /** Resolves when the process has ended, with `exit status 1`, `signal SIGTERM`, or why it could not start. */
  readonly exited: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts processes that never outlive this one, however it ends. They are no part of the terminal's foreground group:
 * Ctrl-C reaches the test run alone, which then stops them in order.
 */
export class ProcessGuard implements AsyncDisposable {
  /** A temporary folder, removed when the guard ends. */
  readonly folder: string;
  readonly #guard: ChildProcess;
  readonly #waiting = new Map<number, (reason: string) => void>();
  #lastId = 0;

  private constructor(guard: ChildProcess, folder: string) {
    this.folder = folder;
    this.#guard = guard;
    guard.on('message', (event: GuardEvent) => this.#ended(event.id, event.reason));
    guard.on('exit', () => {
      for (const id of [...this.#waiting.keys()]) this.#ended(id, 'its guard ended');
    });
  }

  static async start(): Promise<ProcessGuard> {
    const folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
    const main = fileURLToPath(new URL('process-guard-main.ts', import.meta.url));
    const guard = fork(main, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
    await once(guard, 'spawn');
    guard.send({ type: 'folder', path: folder } satisfies GuardOrder);
    return new ProcessGuard(guard, folder);
  }

  run(command: GuardedCommand): GuardedProcess {
    const id = ++this.#lastId;
    const { promise: exited, resolve } = Promise.withResolvers<string>();
    this.#waiting.set(id, resolve);
    this.#order({
      type: 'start',
      id,
      command: command.command,
      args: command.args,
      env: command.env ?? process.env,
      cwd: command.cwd,
      logFile: command.logFile,
      stopSignal: command.stopSignal ?? 'SIGTERM',
    });
    return { logFile: command.logFile, exited, kill: (signal) => this.#order({ type: 'kill', id, signal }) };
  }

  /** Stops every process, removes the folder. */
  async stop(): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return;
    const gone = once(this.#guard, 'exit');
    if (this.#guard.connected) this.#guard.disconnect();
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #order(order: GuardOrder): void {
    if (this.#guard.connected) this.#guard.send(order);
  }

  #ended(id: number, reason: string): void {
    this.#waiting.get(id)?.(reason);
    this.#waiting.delete(id);
  }
}
