import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessGuard } from '../cluster/process-guard.ts';
import { until } from '../cluster/until.ts';
import { succeeds } from './command.ts';

const ASK: readonly string[] = ['version', '--format', '{{.Server.Version}}'];

/** Whether a Docker engine answers, at `host` or where the environment says. */
export function engineAnswers(host?: string): Promise<boolean> {
  return succeeds('docker', ASK, host === undefined ? process.env : { ...process.env, DOCKER_HOST: host });
}

/**
 * A Docker engine that keeps all that it has in the guard's folder and changes nothing on this machine: it builds with
 * `--network host` alone, and its processes and mounts are in namespaces that end with the guard. Needs root.
 *
 * @returns what belongs into `DOCKER_HOST`
 * @throws with the end of its log when it does not start
 */
export async function startDockerEngine(guard: ProcessGuard, signal: AbortSignal): Promise<string> {
  const folder = join(guard.folder, 'docker');
  await mkdir(folder);
  const host = `unix://${join(folder, 'docker.sock')}`;
  const settings = {
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'docker.pid'),
    host,
    iptables: 'false',
    bridge: 'none',
  };
  const namespaces = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const engine = guard.run({
    // It is told when the guard ends in a way that lets it do nothing more.
    command: 'setpriv',
    args: ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'dockerd', ...flags],
    logFile: join(folder, 'dockerd.log'),
    // unshare hands on no other.
    stopSignal: 'SIGKILL',
  });
  await until(signal, [engine], async () => {
    if (!(await engineAnswers(host))) throw new Error('It does not answer yet.');
  });
  return host;
}
