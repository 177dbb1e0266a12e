// What surrounds a ModelService that may go to zero, on a cluster without nodes: the operator and the gateway as real
// programs, and pods, kubelet and Kubernetes' own EndpointSlices by hand.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { installChart, only, renderChart } from './chart.ts';
import { field } from './children.ts';
import { eventually } from './eventually.ts';
import { kubectl } from './kubectl.ts';
import { awaitPods } from './kubelet.ts';
import { type LoadedBackend, startTelemetry } from './metrics-pods.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { RESOURCES } from './resource-types.ts';
import { type SuiteGateway, startGateway } from './suite-gateway.ts';
import type { AnyObject } from './test-api.ts';
import { testApi, testCluster } from './test-run.ts';

/** Where a server answers requests, and where the operator asks for its activity. */
const HTTP_PORT = 8080;
const METRICS_PORT = 8082;
const GATEWAY_LABELS = {
  'app.kubernetes.io/name': 'modelservice-operator-gateway',
  'app.kubernetes.io/instance': 'operator',
};

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One namespace with an operator and a gateway. */
export class ZeroWorld implements AsyncDisposable {
  readonly namespace: string;
  readonly gateway: SuiteGateway;
  readonly account: ServiceAccountRef;
  /** Where the gateway's pods are: a loopback address is refused in a slice. */
  readonly #machineIp: string;
  readonly #block = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  readonly #pods: AsyncDisposable[] = [];
  #operator: OperatorProcess | undefined;

  private constructor(namespace: string, account: ServiceAccountRef, gateway: SuiteGateway, machineIp: string) {
    this.namespace = namespace;
    this.account = account;
    this.gateway = gateway;
    this.#machineIp = machineIp;
  }

  /** The gateway's Deployment is there, its program runs, and no pod says so yet. */
  static async start(namespace: string): Promise<ZeroWorld> {
    const values = { watchNamespaces: [namespace], gateway: { replicas: 2 } };
    const options = { release: 'operator', namespace, values };
    const { serviceAccount } = await installChart(options, ['ServiceAccount', 'Role', 'RoleBinding']);
    const parts = (await renderChart(options)).filter(({ metadata }) => metadata.name.endsWith('-gateway'));
    await kubectl(['apply', '-f', '-'], { input: JSON.stringify(only(parts, 'Deployment')) });
    const addresses = Object.values(networkInterfaces()).flat();
    const ip = addresses.find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    assert.ok(ip, 'this machine has an address that a slice may name');
    const world = new ZeroWorld(namespace, serviceAccount, await startGateway(namespace, ['--bind-address=']), ip);
    await world.startOperator();
    return world;
  }

  get gatewayDeployment(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.namespace, name: 'operator-modelservice-operator-gateway' };
  }

  async startOperator(): Promise<void> {
    const { namespace, name } = this.gatewayDeployment;
    this.#operator = await startOperator({
      kubeconfig: await testCluster().kubeconfigFor(this.account),
      namespaces: [namespace],
      args: [`--gateway-namespace=${namespace}`, `--gateway-name=${name}`],
    });
  }

  async crashOperator(): Promise<void> {
    await this.#operator?.crash();
  }

  async logs(): Promise<string> {
    return `${await this.#operator?.logs()}\n${await this.gateway.process.logs()}`;
  }

  /** A ready pod of the gateway; by default the one where the program runs. */
  async addGatewayPod(name: string, healthUrl = this.gateway.process.healthUrl): Promise<AnyObject> {
    const { namespace } = this;
    const containerPort = Number(new URL(healthUrl).port);
    const created = await testApi().create(RESOURCES.pods, {
      metadata: { namespace, name, labels: GATEWAY_LABELS },
      spec: {
        schedulerName: 'none',
        containers: [{ name: 'gateway', image: 'x', ports: [{ name: 'health', containerPort }] }],
      },
    });
    const ip = this.#machineIp;
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] };
    return await testApi().mergePatch(RESOURCES.pods, created.metadata, { status }, 'status');
  }

  /** As its kubelet says. */
  async setGatewayReady(name: string, ready: boolean): Promise<void> {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    await testApi().mergePatch(
      RESOURCES.pods,
      { namespace: this.namespace, name },
      { status: { conditions } },
      'status',
    );
  }

  /**
   * The newest of the service's pods, of which there are `count`, answers and has been ready for `seconds`. The Service
   * does not lead to it yet.
   */
  async makeReady(name: string, seconds: number, count = 1): Promise<LoadedBackend> {
    const [pod] = await awaitPods(this.namespace, name, count);
    assert.ok(pod);
    const host = `${this.#block}.${this.#pods.length + 1}`;
    const server = createServer((request, response) => response.end(`answer to ${request.url}`));
    await once(server.listen(HTTP_PORT, host), 'listening');
    const backend = await startTelemetry({ host, port: METRICS_PORT });
    this.#pods.push({
      async [Symbol.asyncDispose]() {
        server.close();
        server.closeAllConnections();
        await backend[Symbol.asyncDispose]();
      },
    });
    const lastTransitionTime = new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    const conditions = ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime,
    }));
    const status = { phase: 'Running', podIP: host, podIPs: [{ ip: host }], conditions };
    await testApi().mergePatch(RESOURCES.pods, pod.metadata, { status }, 'status');
    return backend;
  }

  /**
   * Has the Service lead to its pods, as Kubernetes' own controller would: its slices do not take the loopback addresses
   * of these.
   */
  async setReachable(name: string, reachable: boolean): Promise<void> {
    const ref = { namespace: this.namespace, name: `${name}-own` };
    await testApi().delete(RESOURCES.endpointSlices, ref);
    if (!reachable) return;
    await testApi().create(RESOURCES.endpointSlices, {
      metadata: { ...ref, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: HTTP_PORT, protocol: 'TCP' }],
      endpoints: [{ addresses: [this.#machineIp], conditions: { ready: true } }],
    });
  }

  /** Both. */
  async serve(name: string, seconds: number, count = 1): Promise<LoadedBackend> {
    const backend = await this.makeReady(name, seconds, count);
    await this.setReachable(name, true);
    return backend;
  }

  /** A request to where the slice for the gateway leads, as kube-proxy would send it. */
  async ask(name: string, path: string): Promise<Answer> {
    const slice = await testApi().get(RESOURCES.endpointSlices, {
      namespace: this.namespace,
      name: `${name}--gateway`,
    });
    const ip = field(slice, 'endpoints', 0, 'addresses', 0);
    const answer = await fetch(`http://${ip}:${field(slice, 'ports', 0, 'port')}${path}`);
    return { status: answer.status, body: await answer.text() };
  }

  async awaitHeld(count: number): Promise<void> {
    await eventually(async () => await (await fetch(`${this.gateway.process.metricsUrl}/metrics`)).text(), {
      because: `${count} requests are held`,
      until: (metrics) => new RegExp(`^modelservice_gateway_held_requests ${count}$`, 'm').test(metrics),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#operator?.stop();
    await this.gateway.process.stop();
    for (const pod of this.#pods) await pod[Symbol.asyncDispose]();
  }
}
