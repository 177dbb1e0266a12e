import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testRun } from '../../integration/support/test-run.ts';

/** What the image has in its environment: a folder with the modules as Node compiled them, so that no start does. */
export async function environmentOfImage(): Promise<Readonly<Record<string, string>>> {
  const env = { NODE_COMPILE_CACHE: join(testRun().guard.folder, 'compile-cache') };
  const launcher = fileURLToPath(new URL('../../../operator/bin/operator.js', import.meta.url));
  await promisify(execFile)(process.execPath, [launcher, '--help'], { env: { ...process.env, ...env } });
  return env;
}
