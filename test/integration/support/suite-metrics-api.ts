import { after, afterEach, before } from 'mocha';
import { freePort } from '../../cluster/free-port.ts';
import { only, type RenderedObject, renderChart } from './chart.ts';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { lastLines, type ProgramProcess, startProgram } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi, testCluster } from './test-run.ts';

const LOG_LINES = 60;
/** What the chart makes of it, but for its pods: they are one process here. */
const KINDS = ['ServiceAccount', 'Secret', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'APIService'];

export interface SuiteMetricsApi extends AsyncDisposable {
  readonly process: ProgramProcess;
  /** Name of its Service, its Secret and its account, in the suite's namespace. */
  readonly name: string;
  /** Port of the API itself, on this machine. */
  readonly apiPort: number;
}

/**
 * Runs the metrics API behind the real aggregation layer from a suite's `before` to its `after`, acting as the account
 * that the chart makes. The Service's name leads the API server to this machine.
 *
 * @param args beside the names; asked for when the hook runs where they come from another hook
 */
export function useMetricsApi(
  namespace: () => string,
  args: readonly string[] | (() => readonly string[]) = [],
): () => SuiteMetricsApi {
  let running: SuiteMetricsApi | undefined;
  before('start the metrics API', async function () {
    if (testCluster().hostAddress === undefined) {
      console.log('The API server of this cluster cannot call this machine: what needs that is skipped.');
      this.skip();
    }
    running = await startMetricsApi(namespace(), typeof args === 'function' ? args() : args);
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || running === undefined) return;
    console.log(`The end of the metrics API's log:\n${lastLines(await running.process.logs(), LOG_LINES)}`);
  });
  after('stop the metrics API', async () => {
    await running?.[Symbol.asyncDispose]();
  });
  return () => {
    if (running === undefined) throw new Error('The metrics API runs from the suite\'s "before" hook on.');
    return running;
  };
}

/** Resolves once the API server finds it available. */
export async function startMetricsApi(namespace: string, args: readonly string[] = []): Promise<SuiteMetricsApi> {
  const { hostAddress } = testCluster();
  if (hostAddress === undefined) throw new Error('The API server of this cluster cannot call this machine.');
  const values = { watchNamespaces: [namespace], metrics: { provider: 'builtin' } };
  const objects = await renderChart({ release: 'operator', namespace, values });
  const ours = objects.filter(({ metadata }) => metadata.labels['app.kubernetes.io/name']?.endsWith('-metrics-api'));
  const { metadata } = only(ours, 'Service');
  const apiPort = await freePort();
  // The aggregation layer follows such a name, and a port of ours instead of 443.
  const spec = { type: 'ExternalName', externalName: hostAddress };
  const wanted = ours.filter(({ kind }) => KINDS.includes(kind)).map((object) => withPort(object, apiPort));
  const applied = [{ apiVersion: 'v1', kind: 'Service', metadata, spec }, ...wanted];
  const manifest = applied.map((object) => JSON.stringify(object)).join('\n---\n');
  await kubectl(['apply', '-f', '-'], { input: manifest });
  const { name } = metadata;
  const remove = async (): Promise<void> => {
    // First what calls it: an APIService without a backend blocks the deletion of namespaces.
    for (const { metadata: apiService } of applied.filter(({ kind }) => kind === 'APIService')) {
      await testApi().delete(RESOURCES.apiServices, apiService);
    }
    await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: manifest });
  };
  let process: ProgramProcess | undefined;
  try {
    process = await startProgram({
      program: 'metrics-api',
      kubeconfig: await testCluster().kubeconfigFor({ namespace, name }),
      args: [
        `--watch-namespaces=${namespace}`,
        `--namespace=${namespace}`,
        `--service-name=${name}`,
        `--secret-name=${name}`,
        `--api-port=${apiPort}`,
        ...args,
      ],
    });
    await awaitAvailable();
  } catch (error) {
    await remove();
    await process?.stop();
    throw error;
  }
  const running = process;
  return {
    process: running,
    name,
    apiPort,
    async [Symbol.asyncDispose]() {
      await remove();
      await running.stop();
    },
  };
}

/**
 * Waits until the API server serves both versions through the metrics API: until it answers, because its proxy hears of
 * the condition Available only after everybody can read it, and refuses a call in between.
 */
async function awaitAvailable(): Promise<void> {
  for (const version of ['v1beta1', 'v1beta2']) {
    await eventually(() => testCluster().client.request('GET', `/apis/custom.metrics.k8s.io/${version}`), {
      because: `the API server serves ${version} through the metrics API`,
      until: ({ status }) => status === 200,
      deadlineMs: 60_000,
    });
  }
}

export function isAvailable({ status }: AnyObject): boolean {
  const conditions = (status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[];
  return conditions.some(({ type, status: value }) => type === 'Available' && value === 'True');
}

function withPort(object: RenderedObject, port: number): RenderedObject {
  if (object.kind !== 'APIService') return object;
  const spec = object.spec as { readonly service: object };
  return { ...object, spec: { ...spec, service: { ...spec.service, port } } };
}
