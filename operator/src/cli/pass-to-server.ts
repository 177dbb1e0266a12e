import { spawn } from 'node:child_process';
import { REPOSITORY } from './repository.ts';

/** Runs a command of the model server's own and answers its exit code. */
export function passToServer(command: string, args: readonly string[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, [REPOSITORY.server, command, ...args], { stdio: 'inherit' });
  child.on('error', reject);
  child.on('exit', (code) => resolve(code ?? 1));
  return promise;
}
