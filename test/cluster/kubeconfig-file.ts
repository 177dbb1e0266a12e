import { writeFile } from 'node:fs/promises';

export interface KubeconfigContent {
  readonly server: string;
  /** PEM; absent for http: or a server that a public CA vouches for. */
  readonly ca?: string | undefined;
  /** Default: false. */
  readonly skipTLSVerify?: boolean | undefined;
  readonly token: string;
}

/** Writes a kubeconfig of one user; JSON is YAML too. Only the owner may read it. */
export async function writeKubeconfig(path: string, content: KubeconfigContent): Promise<void> {
  const { server, ca, skipTLSVerify = false, token } = content;
  const trust = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  // client-node refuses http: unless it is told that nobody is to be verified.
  const security = skipTLSVerify || server.startsWith('http:') ? { 'insecure-skip-tls-verify': true } : trust;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, ...security } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  await writeFile(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
