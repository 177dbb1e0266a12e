import type { ServerEnvironment } from '../config/environment.ts';

/** What a command sees of the process. */
export interface CommandHost {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export interface CommandContext {
  readonly environment: ServerEnvironment;
  /** Writes a line to standard output. */
  print(line: string): void;
  /** Writes a line to standard error. */
  complain(line: string): void;
}

/** Runs with the arguments after its name; gives the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;
