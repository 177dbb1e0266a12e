import { spawn } from 'node:child_process';

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** What to install where the program is not there; ends the sentence of the error. */
  readonly fix: string;
  /** Show the program's output as it comes, instead of only when it fails. Default: false. */
  readonly show?: boolean;
}

/**
 * Runs a program to its end and answers what it printed on stdout.
 *
 * @throws CommandError where it is missing or fails, with the end of what it printed
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { cwd, env, signal, fix, show = false } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      signal,
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    let failure: NodeJS.ErrnoException | undefined;
    child.on('error', (error) => {
      failure = error;
    });
    // Only now has it ended, also after an abort: the caller may remove the folder that it wrote to.
    child.on('close', (code, killedBy) => {
      if (failure?.code === 'ENOENT') {
        return reject(new CommandError(`Could not find ${program}: ${fix}`, { cause: failure }));
      }
      if (failure !== undefined) return reject(failure);
      if (code === 0) return resolve(output.stdout);
      const tail = (output.stderr || output.stdout).trim().split('\n').slice(-15).join('\n');
      const end = killedBy === null ? `ended with exit code ${code}` : `was ended by ${killedBy}`;
      reject(new CommandError(`${program} ${args.slice(0, 4).join(' ')} … ${end}: ${fix}\n${tail}`.trimEnd()));
    });
  });
}
