/**
 * `modelservice`, the command line: a thin launcher. `run` renders the manifests' list of models, as the operator does,
 * and starts the model server with it as a child process; `digest` is the server's own; `plan` reads a cluster. What a
 * command needs is loaded only when it is called.
 */
import { readFile } from 'node:fs/promises';
import { type Arguments, parseArguments, USAGE } from './arguments.ts';
import { UsageError } from './usage-error.ts';

/** Of reading a whole cluster: thousands of services take seconds. */
const PLAN_TIMEOUT_MS = 120_000;

try {
  process.exitCode = await execute(parseArguments(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nTry: modelservice --help`);
  process.exitCode = 2;
}

/** Answers the exit code. */
async function execute(args: Arguments): Promise<number> {
  switch (args.command) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'version': {
      const manifest: { version: string } = JSON.parse(
        await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
      );
      console.log(manifest.version);
      return 0;
    }
    case 'digest': {
      const { passToServer } = await import('./pass-to-server.ts');
      const { localUri } = await import('./repository.ts');
      return await passToServer('digest', args.args.map(localUri));
    }
    case 'plan': {
      const { plan } = await import('./plan.ts');
      const signal = AbortSignal.timeout(PLAN_TIMEOUT_MS);
      return await plan(args, { output: process.stdout, errors: process.stderr, env: process.env, signal });
    }
    case 'run': {
      const { run } = await import('./run.ts');
      return await run(args, { output: process.stdout, signals: process, env: process.env, cwd: process.cwd() });
    }
  }
}
