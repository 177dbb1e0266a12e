/**
 * The commands of the server's program beside serving: `server.js digest …`. What a command prints is all that a
 * caller reads; each gives the exit code.
 */
import { readEnvironment } from '../config/environment.ts';
import type { Command, CommandHost } from './command.ts';
import { digestCommand } from './digest.ts';

const COMMANDS: Readonly<Record<string, Command>> = { digest: digestCommand };

/**
 * Runs the command that a command line begins with.
 *
 * @param args without the program's name, for example `['digest', 'examples/mnist/model']`
 * @param host the process; SIGINT and SIGTERM end it as they end any
 * @returns the exit code
 */
export function runCli(args: readonly string[], host: CommandHost): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    host.stderr.write(`There is no command "${name}": use one of ${Object.keys(COMMANDS).join(', ')}\n`);
    return Promise.resolve(2);
  }
  return command(rest, {
    environment: readEnvironment(host.env),
    print: (line) => host.stdout.write(`${line}\n`),
    complain: (line) => host.stderr.write(`${line}\n`),
  });
}
