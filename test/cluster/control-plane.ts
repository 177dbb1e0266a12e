import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AUDIT_POLICY } from './audit-log.ts';
import { type ClusterClient, clientFromKubeconfig } from './cluster-client.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { GuardedProcess, ProcessGuard } from './process-guard.ts';

export interface ControlPlane {
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly client: ClusterClient;
  readonly auditLog: string;
}

/** How long a component may take until it answers. It takes 3 s on an idle machine. */
const START_DEADLINE_MS = 90_000;
const LOG_TAIL_LINES = 15;

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler from a folder of binaries, on 127.0.0.1 and
 * free ports; ready when the API server is and the controllers have made the `default` namespace's service account.
 * There is no node: pods stay Pending unless a test says otherwise in their status.
 *
 * @throws with the tail of the component's log when one does not start
 */
export async function startControlPlane(
  binaries: string,
  guard: ProcessGuard,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const folder = join(guard.folder, 'control-plane');
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const files = await writeCredentials(folder);
  const [etcdPort, peerPort, securePort] = await Promise.all([freePort(), freePort(), freePort()]);
  const server = `https://127.0.0.1:${securePort}`;
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
  const apiServer = run('kube-apiserver', [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${securePort}`,
    // It makes its own CA-signed certificate there, valid for 127.0.0.1.
    `--cert-dir=${files.certDir}`,
    `--etcd-servers=${etcdUrl}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // Without it the server would advertise a loopback address as the endpoint of `kubernetes`, which is refused.
    '--endpoint-reconciler-type=none',
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    // As on OpenShift: who sets blockOwnerDeletion needs the right to update the owner's finalizers.
    '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
    // No request shares out a budget with another suite's.
    '--max-requests-inflight=0',
    '--max-mutating-requests-inflight=0',
    '--enable-priority-and-fairness=false',
  ]);
  const certificate = join(files.certDir, 'apiserver.crt');
  await until(signal, [etcd, apiServer], () => readFile(certificate));
  const kubeconfigPath = join(folder, 'admin.kubeconfig');
  await writeKubeconfig(kubeconfigPath, { server, ca: await readFile(certificate, 'utf8'), token: files.adminToken });
  const client = await clientFromKubeconfig(kubeconfigPath);
  await until(signal, [etcd, apiServer], () => expectOk(client, '/readyz'));

  const manager = run('kube-controller-manager', [
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
  ]);
  const scheduler = run('kube-scheduler', [
    `--kubeconfig=${kubeconfigPath}`,
    '--secure-port=0',
    '--leader-elect=false',
  ]);
  await until(signal, [etcd, apiServer, manager, scheduler], () =>
    expectOk(client, '/api/v1/namespaces/default/serviceaccounts/default'),
  );
  return { server, kubeconfigPath, client, auditLog: files.auditLog };
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

/** Repeats `attempt` until it succeeds, one of the processes ends, or the deadline passes. */
async function until(
  signal: AbortSignal,
  processes: readonly GuardedProcess[],
  attempt: () => Promise<unknown>,
): Promise<void> {
  const ended: { value: GuardedProcess; reason: string }[] = [];
  for (const value of processes) void value.exited.then((reason) => ended.push({ value, reason }));
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      await attempt();
      return;
    } catch (error) {
      const [first] = ended;
      if (first !== undefined) throw new Error(await tail(first.value.logFile, `ended with ${first.reason}`));
      if (performance.now() > deadline) {
        const last = processes[processes.length - 1];
        const logFile = last?.logFile ?? '';
        throw new Error(await tail(logFile, `did not answer within ${START_DEADLINE_MS / 1000} s`), { cause: error });
      }
    }
    await delay(100, undefined, { signal });
  }
}

async function tail(logFile: string, what: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const lines = log.trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  const name = logFile.replace(/^.*\//, '').replace(/\.log$/, '');
  return `${name} ${what}; the end of its log:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}
