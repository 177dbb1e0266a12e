import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SHOWN_LINES = 15;

/**
 * What a command writes to stdout.
 *
 * @throws with the end of what it wrote when it fails
 */
export async function outputOf(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as Error & { readonly stdout?: string; readonly stderr?: string };
    const written = `${stdout}${stderr}`.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n    ');
    throw new Error(`${message.split('\n')[0]}; the end of what it wrote:\n    ${written}`, { cause: error });
  }
}

/** Whether it ends with exit status 0. */
export function succeeds(command: string, args: readonly string[], env = process.env): Promise<boolean> {
  return run(command, args, { env }).then(
    () => true,
    () => false,
  );
}
