import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../cluster/free-port.ts';
import type { ToolName } from '../../cluster/tool.ts';
import { eventually } from './eventually.ts';
import { lastLines } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import { toolPath } from './run-tool.ts';
import { testApi, testCluster, testRun } from './test-run.ts';

const START_DEADLINE_MS = 90_000;
const LOG_LINES = 30;

export interface AggregatedProcess {
  readonly tool: ToolName;
  /** Where its Service is. */
  readonly namespace: string;
  readonly group: string;
  readonly version: string;
  /**
   * Its own flags; where it listens and whom it trusts is told without.
   *
   * @param folder empty, for its files
   */
  readonly args: (folder: string) => Promise<readonly string[]> | readonly string[];
}

/**
 * Runs somebody else's API server behind the aggregation layer, as its own manifests do, but as a process of this
 * machine. Resolves when it serves a resource.
 */
export async function startAggregatedProcess(options: AggregatedProcess): Promise<AsyncDisposable> {
  const { tool, namespace, group, version } = options;
  const { cluster, guard } = testRun();
  if (cluster.hostAddress === undefined) throw new Error('The API server of this cluster cannot call this machine.');
  const command = await toolPath(tool);
  const folder = join(guard.folder, `${tool}-${randomBytes(4).toString('hex')}`);
  await mkdir(folder);
  const port = await freePort();
  const logFile = join(folder, 'log');
  const child = guard.run({
    command,
    args: [
      ...(await options.args(folder)),
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      ...['authentication', 'authorization'].map((use) => `--${use}-kubeconfig=${cluster.kubeconfigPath}`),
    ],
    logFile,
  });
  let ended: string | undefined;
  void child.exited.then((reason) => {
    ended = reason;
  });
  const service = { namespace, name: tool };
  const apiService = { name: `${version}.${group}` };
  const dispose = async (): Promise<void> => {
    await testApi().delete(RESOURCES.apiServices, apiService);
    await testApi().delete(RESOURCES.services, service);
    child.kill('SIGTERM');
    await child.exited;
  };
  try {
    // The aggregation layer follows such a name, and a port of ours instead of 443.
    const spec = { type: 'ExternalName', externalName: cluster.hostAddress };
    await testApi().create(RESOURCES.services, { metadata: service, spec });
    await testApi().create(RESOURCES.apiServices, {
      metadata: apiService,
      spec: {
        group,
        version,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { ...service, port },
      },
    });
    await eventually(() => testCluster().client.request('GET', `/apis/${group}/${version}`), {
      because: `the API server serves ${group} through ${tool}`,
      until: ({ status, body }) =>
        ended !== undefined || (status === 200 && (body as { resources: readonly unknown[] }).resources.length > 0),
      deadlineMs: START_DEADLINE_MS,
    });
    if (ended !== undefined) throw new Error(`${tool} ended before it served anything, with ${ended}`);
  } catch (error) {
    await dispose();
    const what = error instanceof Error ? error.message : String(error);
    const log = await readFile(logFile, 'utf8').catch(() => '');
    throw new Error(`${what}; the end of the log of ${tool}:\n${lastLines(log, LOG_LINES)}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: dispose };
}
