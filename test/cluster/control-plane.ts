import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUDIT_POLICY } from './audit-log.ts';
import { type ClusterClient, clientFromKubeconfig } from './cluster-client.ts';
import { type Component, componentOf } from './component.ts';
import { freePort } from './free-port.ts';
import { frontProxyFlags } from './front-proxy.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { GuardedProcess, ProcessGuard } from './process-guard.ts';
import { until } from './until.ts';

export interface ControlPlane {
  readonly server: string;
  /** PEM of what vouches for its certificate. */
  readonly ca: string;
  readonly kubeconfigPath: string;
  readonly client: ClusterClient;
  readonly auditLog: string;
  readonly components: Components;
}

/** What a suite may kill and start again. */
export interface Components {
  readonly apiServer: Component;
  readonly controllerManager: Component;
  readonly scheduler: Component;
}

export interface ControlPlaneOptions {
  /** An address of this machine; nodes and pods need one that is not 127.0.0.1. */
  readonly address: string;
  /** ClusterIPs are of this range. */
  readonly serviceNetwork: string;
  /** Beside those that Kubernetes enables itself. */
  readonly admissionPlugins: readonly string[];
}

const WITHOUT_NODES: ControlPlaneOptions = {
  address: '127.0.0.1',
  serviceNetwork: '10.96.0.0/16',
  // As on OpenShift: who gives an object an owner needs the right to delete it.
  admissionPlugins: ['OwnerReferencesPermissionEnforcement'],
};

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler from a folder of binaries, on free
 * ports; ready when the API server is and the controllers have made the `default` namespace's service account. There is
 * no node: pods stay Pending unless a test says otherwise in their status, or node/ adds one.
 *
 * @param options default: 127.0.0.1, which this machine alone reaches
 * @throws with the tail of the component's log when one does not start
 */
export async function startControlPlane(
  binaries: string,
  guard: ProcessGuard,
  signal: AbortSignal,
  options: ControlPlaneOptions = WITHOUT_NODES,
): Promise<ControlPlane> {
  const folder = join(guard.folder, 'control-plane');
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const [files, frontProxy] = await Promise.all([writeCredentials(folder), frontProxyFlags(folder)]);
  const [etcdPort, peerPort, securePort] = await Promise.all([freePort(), freePort(), freePort()]);
  const server = `https://${options.address}:${securePort}`;
  const run = (name: string, args: readonly string[]): GuardedProcess =>
    guard.run({
      command: join(binaries, name),
      args,
      cwd: folder,
      logFile: join(logs, `${name}.log`),
      // Its data goes with it, so there is nothing to end in order for.
      stopSignal: 'SIGKILL',
    });

  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const etcd = run('etcd', [
    '--name=test',
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
  const apiServerFlags = [
    `--bind-address=${options.address}`,
    `--advertise-address=${options.address}`,
    `--secure-port=${securePort}`,
    // It makes its own CA-signed certificate there, valid for the advertised address.
    `--cert-dir=${files.certDir}`,
    `--etcd-servers=${etcdUrl}`,
    `--service-cluster-ip-range=${options.serviceNetwork}`,
    // A loopback address is refused as the endpoint of `kubernetes`.
    ...(options === WITHOUT_NODES ? ['--endpoint-reconciler-type=none'] : []),
    // Nothing resolves the names of nodes.
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=Node,RBAC',
    ...frontProxy,
    '--allow-privileged=true',
    `--enable-admission-plugins=${options.admissionPlugins.join(',')}`,
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
    // No request shares out a budget with another suite's.
    '--max-requests-inflight=0',
    '--max-mutating-requests-inflight=0',
    '--enable-priority-and-fairness=false',
  ];
  const apiServer = run('kube-apiserver', apiServerFlags);
  const certificate = join(files.certDir, 'apiserver.crt');
  await until(signal, [etcd, apiServer], () => readFile(certificate));
  const kubeconfigPath = join(folder, 'admin.kubeconfig');
  const ca = await readFile(certificate, 'utf8');
  await writeKubeconfig(kubeconfigPath, { server, ca, token: files.adminToken });
  const client = await clientFromKubeconfig(kubeconfigPath);
  await until(signal, [etcd, apiServer], () => expectOk(client, '/readyz'));

  const managerFlags = [
    `--kubeconfig=${kubeconfigPath}`,
    '--secure-port=0',
    '--leader-elect=false',
    `--root-ca-file=${certificate}`,
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    '--use-service-account-credentials',
    '--horizontal-pod-autoscaler-sync-period=2s',
    '--kube-api-qps=300',
    '--kube-api-burst=600',
    '--concurrent-namespace-syncs=20',
    // It hears of nodes again up to half a minute after an API server came back, and a busy machine is late anyway: by
    // default every pod is then called unready for a moment, and connections are refused.
    '--node-monitor-grace-period=10m',
  ];
  const manager = run('kube-controller-manager', managerFlags);
  const schedulerFlags = [`--kubeconfig=${kubeconfigPath}`, '--secure-port=0', '--leader-elect=false'];
  const scheduler = run('kube-scheduler', schedulerFlags);
  await until(signal, [etcd, apiServer, manager, scheduler], () =>
    expectOk(client, '/api/v1/namespaces/default/serviceaccounts/default'),
  );
  const components: Components = {
    apiServer: componentOf(
      apiServer,
      (flags) => run('kube-apiserver', [...apiServerFlags, ...flags]),
      (process) => until(signal, [etcd, process], () => expectOk(client, '/readyz')),
    ),
    controllerManager: componentOf(
      manager,
      (flags) => run('kube-controller-manager', [...managerFlags, ...flags]),
      async () => {},
    ),
    scheduler: componentOf(
      scheduler,
      (flags) => run('kube-scheduler', [...schedulerFlags, ...flags]),
      async () => {},
    ),
  };
  return { server, ca, kubeconfigPath, client, auditLog: files.auditLog, components };
}

async function writeCredentials(folder: string) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const files = {
    certDir: join(folder, 'certs'),
    serviceAccountKey: join(folder, 'service-account.key'),
    tokens: join(folder, 'tokens.csv'),
    auditPolicy: join(folder, 'audit-policy.json'),
    auditLog: join(folder, 'audit.log'),
    adminToken: randomBytes(24).toString('hex'),
  };
  await mkdir(files.certDir, { recursive: true });
  await writeFile(files.serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(files.tokens, `${files.adminToken},test-admin,test-admin,system:masters\n`, { mode: 0o600 });
  await writeFile(files.auditPolicy, JSON.stringify(AUDIT_POLICY));
  return files;
}

async function expectOk(client: ClusterClient, path: string): Promise<void> {
  const { status, body } = await client.request('GET', path);
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
}
