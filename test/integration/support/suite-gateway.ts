import { randomInt } from 'node:crypto';
import { after, afterEach, before } from 'mocha';
import type { ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { only, renderChart } from './chart.ts';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { modelService } from './manifests.ts';
import { lastLines, type ProgramProcess, startProgram } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi, testCluster } from './test-run.ts';

const LOG_LINES = 60;
/** What the chart says of who the gateway is and what it may do. */
const ACCESS = ['ServiceAccount', 'Role', 'RoleBinding'];

export interface SuiteGateway {
  readonly process: ProgramProcess;
  readonly account: ServiceAccountRef;
}

/** Runs a gateway for one namespace from a suite's `before` to its `after`, acting as the account of the chart. */
export function useGateway(namespace: () => string, args: readonly string[] = []): () => SuiteGateway {
  let running: SuiteGateway | undefined;
  before('start the gateway', async () => {
    running = await startGateway(namespace(), args);
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || running === undefined) return;
    console.log(`The end of the gateway's log:\n${lastLines(await running.process.logs(), LOG_LINES)}`);
  });
  after('stop the gateway', async () => {
    await running?.process.stop();
  });
  return () => {
    if (running === undefined) throw new Error('The gateway runs from the suite\'s "before" hook on.');
    return running;
  };
}

export async function startGateway(namespace: string, args: readonly string[] = []): Promise<SuiteGateway> {
  const values = { watchNamespaces: [namespace], gateway: { replicas: 1 } };
  const objects = await renderChart({ release: 'operator', namespace, values });
  const ours = objects.filter(({ metadata, kind }) => metadata.name.endsWith('-gateway') && ACCESS.includes(kind));
  await kubectl(['apply', '-f', '-'], { input: ours.map((object) => JSON.stringify(object)).join('\n---\n') });
  const account = { namespace, name: only(ours, 'ServiceAccount').metadata.name };
  const process = await startProgram({
    program: 'gateway',
    kubeconfig: await testCluster().kubeconfigFor(account),
    args: [`--watch-namespaces=${namespace}`, '--bind-address=127.0.0.1', ...args],
  });
  return { process, account };
}

export interface RoutedService {
  readonly namespace: string;
  readonly name: string;
  /** Where the gateway takes its requests. */
  readonly port: number;
}

/** A ModelService that went to zero, and the slice that its operator would make. Resolves when the gateway listens. */
export async function createRoutedService(gateway: ProgramProcess, namespace: string, name: string) {
  const { spec } = modelService(name, { scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '10s' } });
  await testApi().create(RESOURCES.modelServices, { metadata: { namespace, name }, spec });
  await setState({ namespace, name }, 'Idle');
  return await createSlice(gateway, namespace, name);
}

/** The slice alone, on a port of its own. */
export async function createSlice(gateway: ProgramProcess, namespace: string, name: string): Promise<RoutedService> {
  const service = { namespace, name, port: nextPort() };
  const { metadata } = await testApi().get(RESOURCES.modelServices, { namespace, name });
  const owner = { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService', name, uid: metadata.uid };
  await testApi().create(RESOURCES.endpointSlices, {
    metadata: {
      namespace,
      name: `${name}--gateway`,
      labels: {
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'modelservice-operator',
      },
      ownerReferences: [{ ...owner, controller: true }],
    } as object as { readonly namespace: string },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: service.port, protocol: 'TCP', appProtocol: 'http' }],
    endpoints: [],
  });
  await eventually(() => listenerOf(gateway, service), {
    because: 'the gateway confirms that it listens',
    until: ({ status, body }) => status === 200 && body === JSON.stringify({ port: service.port }),
  });
  return service;
}

export async function listenerOf(
  gateway: ProgramProcess,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(`${gateway.healthUrl}/listeners/${namespace}/${name}`);
  return { status: answer.status, body: await answer.text() };
}

/** What the operator says in the status. */
export async function setState(
  ref: { readonly namespace: string; readonly name: string },
  state: string,
  ready: { readonly reason: string; readonly message: string } = { reason: 'PodsStarting', message: 'Pods start.' },
): Promise<void> {
  const lastTransitionTime = new Date().toISOString();
  const condition = { type: 'Ready', status: 'False', observedGeneration: 1, lastTransitionTime, ...ready };
  const status = { scaling: { state }, conditions: [condition] };
  await testApi().mergePatch(RESOURCES.modelServices, ref, { status }, 'status');
}

// Of the range that the operator gives out; another run on this machine begins elsewhere.
let lastPort = 20_000 + randomInt(9000);
function nextPort(): number {
  return ++lastPort;
}
