import { readFile } from 'node:fs/promises';
import { parseAuditLog } from './audit-log.ts';
import type { ClusterClient } from './cluster-client.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { ProcessGuard } from './process-guard.ts';
import { serviceAccountAccess } from './service-account-access.ts';
import type { TestCluster } from './test-cluster.ts';

/** A control plane of our own on this machine, from a folder of binaries. */
export async function startLocalCluster(binaries: string, origin: string, signal: AbortSignal): Promise<TestCluster> {
  const guard = await ProcessGuard.start();
  try {
    return await localCluster(await startControlPlane(binaries, guard, signal), guard, origin);
  } catch (error) {
    await guard.stop();
    throw error;
  }
}

/** What suites see of a control plane that `guard` owns; to stop the one is to stop the other. */
export async function localCluster(
  { server, ca, kubeconfigPath, client, auditLog, components }: ControlPlane,
  guard: ProcessGuard,
  origin: string,
): Promise<TestCluster> {
  const version = await serverVersion(client);
  const stop = async () => {
    await client.close();
    await guard.stop();
  };
  return {
    description: `Kubernetes ${version} on this machine, ${origin}`,
    version,
    server,
    ca,
    skipTLSVerify: false,
    hostAddress: new URL(server).hostname,
    kubeconfigPath,
    client,
    ephemeral: true,
    components,
    ...serviceAccountAccess(client, { server, ca, skipTLSVerify: false }, guard.folder),
    auditEvents: async () => parseAuditLog(await readFile(auditLog, 'utf8')),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** `v1.36.3`, from the API server itself. */
export async function serverVersion(client: ClusterClient): Promise<string> {
  const { status, body } = await client.request('GET', '/version');
  if (status !== 200) throw new Error(`GET /version answered ${status}; is this an API server?`);
  return (body as { gitVersion: string }).gitVersion;
}
