// Runs a command that needs a Docker engine: `npm run with-docker -- COMMAND…`. Where none answers, one of its own runs
// for as long as the command does, and nothing is left of it (Linux as root; needs Debian's docker.io). The exit status
// is the command's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ProcessGuard } from '../cluster/process-guard.ts';
import { engineAnswers, startDockerEngine } from './docker-engine.ts';

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort());

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('Name the command to run: npm run with-docker -- COMMAND…');
  process.exitCode = 1;
} else {
  process.exitCode = (await engineAnswers()) ? await run(process.env) : await runWithOwnEngine();
}

async function runWithOwnEngine(): Promise<number> {
  const guard = await ProcessGuard.start();
  try {
    const host = await startDockerEngine(guard, stopped.signal);
    console.log('No Docker engine answered: started one for this run.');
    return await run({ ...process.env, DOCKER_HOST: host });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await guard.stop();
  }
}

async function run(env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(command ?? '', args, { stdio: 'inherit', env });
  const stop = () => child.kill('SIGTERM');
  stopped.signal.addEventListener('abort', stop);
  if (stopped.signal.aborted) stop();
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}
