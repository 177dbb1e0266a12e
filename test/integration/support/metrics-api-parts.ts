// The metrics API in its parts: what the chart makes of it in the cluster, and its pods, which are processes here.
import { once } from 'node:events';
import { connect } from 'node:tls';
import { only, type RenderedObject, renderChart } from './chart.ts';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { type ProgramProcess, startProgram } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi, testCluster } from './test-run.ts';

/** What the chart makes of it, but for its pods. */
const KINDS = ['ServiceAccount', 'Secret', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'APIService'];

export interface InstalledMetricsApi extends AsyncDisposable {
  /** Of its Service, its Secret and its account. */
  readonly namespace: string;
  readonly name: string;
}

/** Applies the chart's objects; the Service's name leads the API server to a port of this machine. */
export async function installMetricsApi(namespace: string, port: number): Promise<InstalledMetricsApi> {
  const { hostAddress } = testCluster();
  if (hostAddress === undefined) throw new Error('The API server of this cluster cannot call this machine.');
  const values = { watchNamespaces: [namespace], metrics: { provider: 'builtin' } };
  const objects = await renderChart({ release: 'operator', namespace, values });
  const ours = objects.filter(({ metadata }) => metadata.labels['app.kubernetes.io/name']?.endsWith('-metrics-api'));
  const { metadata } = only(ours, 'Service');
  // The aggregation layer follows such a name, and a port of ours instead of 443.
  const spec = { type: 'ExternalName', externalName: hostAddress };
  const wanted = ours.filter(({ kind }) => KINDS.includes(kind)).map((object) => withPort(object, port));
  const applied = [{ apiVersion: 'v1', kind: 'Service', metadata, spec }, ...wanted];
  const manifest = applied.map((object) => JSON.stringify(object)).join('\n---\n');
  await kubectl(['apply', '-f', '-'], { input: manifest });
  return {
    namespace,
    name: metadata.name,
    async [Symbol.asyncDispose]() {
      // First what calls it: an APIService without a backend blocks the deletion of namespaces.
      for (const { metadata: apiService } of applied.filter(({ kind }) => kind === 'APIService')) {
        await testApi().delete(RESOURCES.apiServices, apiService);
      }
      await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: manifest });
    },
  };
}

/** One pod of it, as a process that acts as the account which the chart makes. */
export async function startMetricsApiProcess(
  { namespace, name }: InstalledMetricsApi,
  port: number,
  args: readonly string[] = [],
): Promise<ProgramProcess> {
  return await startProgram({
    program: 'metrics-api',
    kubeconfig: await testCluster().kubeconfigFor({ namespace, name }),
    args: [
      `--watch-namespaces=${namespace}`,
      `--namespace=${namespace}`,
      `--service-name=${name}`,
      `--secret-name=${name}`,
      `--api-port=${port}`,
      ...args,
    ],
  });
}

/**
 * Waits until the API server serves both versions through the metrics API: until it answers, because its proxy hears of
 * the condition Available only after everybody can read it, and refuses a call in between.
 */
export async function awaitMetricsServed(): Promise<void> {
  for (const version of ['v1beta1', 'v1beta2']) {
    await eventually(() => testCluster().client.request('GET', `/apis/custom.metrics.k8s.io/${version}`), {
      because: `the API server serves ${version} through the metrics API`,
      until: ({ status }) => status === 200,
      deadlineMs: 60_000,
    });
  }
}

/** Fingerprint of the certificate that a client is shown. */
export async function certificateAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

function withPort(object: RenderedObject, port: number): RenderedObject {
  if (object.kind !== 'APIService') return object;
  const spec = object.spec as { readonly service: object };
  return { ...object, spec: { ...spec, service: { ...spec.service, port } } };
}
