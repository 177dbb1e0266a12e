import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../cluster/free-port.ts';
import { eventually } from './eventually.ts';
import { lastLines } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import { toolPath } from './run-tool.ts';
import { testApi, testCluster, testRun } from './test-run.ts';

const START_DEADLINE_MS = 90_000;
const LOG_LINES = 30;
const VERSION = 'v1beta1';
const API_SERVICE = `${VERSION}.custom.metrics.k8s.io`;

export interface AdapterOptions {
  /** Where its Service is. */
  readonly namespace: string;
  readonly prometheusUrl: string;
  /** Its configuration file. */
  readonly config: string;
}

/**
 * Runs prometheus-adapter behind the API server, as its own manifests do; it acts as the cluster's administrator.
 * Resolves when it serves a metric.
 */
export async function startPrometheusAdapter({
  namespace,
  prometheusUrl,
  config,
}: AdapterOptions): Promise<AsyncDisposable> {
  const { cluster, guard } = testRun();
  if (cluster.hostAddress === undefined) throw new Error('The API server of this cluster cannot call this machine.');
  const command = await toolPath('prometheus-adapter');
  const folder = join(guard.folder, `adapter-${randomBytes(4).toString('hex')}`);
  await mkdir(folder);
  const configFile = join(folder, 'config.yaml');
  await writeFile(configFile, config);
  const port = await freePort();
  const logFile = join(folder, 'log');
  const child = guard.run({
    command,
    args: [
      `--config=${configFile}`,
      `--prometheus-url=${prometheusUrl}`,
      '--metrics-relist-interval=1s',
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      ...['lister', 'authentication', 'authorization'].map((use) => `--${use}-kubeconfig=${cluster.kubeconfigPath}`),
    ],
    logFile,
  });
  const service = { namespace, name: 'prometheus-adapter' };
  const dispose = async (): Promise<void> => {
    await testApi().delete(RESOURCES.apiServices, { name: API_SERVICE });
    await testApi().delete(RESOURCES.services, service);
    child.kill('SIGTERM');
    await child.exited;
  };
  try {
    // The aggregation layer follows such a name, and a port of ours instead of 443.
    const spec = { type: 'ExternalName', externalName: cluster.hostAddress };
    await testApi().create(RESOURCES.services, { metadata: service, spec });
    await testApi().create(RESOURCES.apiServices, {
      metadata: { name: API_SERVICE },
      spec: {
        group: 'custom.metrics.k8s.io',
        version: VERSION,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { ...service, port },
      },
    });
    await eventually(() => testCluster().client.request('GET', `/apis/custom.metrics.k8s.io/${VERSION}`), {
      because: 'the API server serves metrics through the adapter',
      until: ({ status, body }) => status === 200 && (body as { resources: readonly unknown[] }).resources.length > 0,
      deadlineMs: START_DEADLINE_MS,
    });
  } catch (error) {
    await dispose();
    const what = error instanceof Error ? error.message : String(error);
    const log = await readFile(logFile, 'utf8').catch(() => '');
    throw new Error(`${what}; the end of the adapter's log:\n${lastLines(log, LOG_LINES)}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: dispose };
}
