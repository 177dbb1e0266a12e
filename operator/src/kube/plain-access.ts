import { readFile } from 'node:fs/promises';
import { Agent } from 'undici';
import {
  AGENT_OPTIONS,
  basicAuthorization,
  type ClusterAccess,
  type Credentials,
  connectOptions,
  type TlsMaterial,
  withoutUndefined,
} from './credentials.ts';

/** Text that stands in a file, which may be replaced at any time, or is given. */
export type TextSource = { readonly file: string } | { readonly text: string };

/** An API server that is reached without a proxy, and credentials that nobody has to be asked for. */
export interface PlainCluster {
  readonly server: URL;
  readonly ca?: TextSource | undefined;
  readonly cert?: TextSource | undefined;
  readonly key?: TextSource | undefined;
  readonly token?: TextSource | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly skipTLSVerify?: boolean | undefined;
  readonly tlsServerName?: string | undefined;
}

/** How old what was read of a file may be: as client-go's, for the API server takes an old token for longer. */
const LONGEST_READ_MS = 60_000;

/** @param nowMs of a clock that never goes back */
export function plainAccess(cluster: PlainCluster, nowMs: () => number = () => performance.now()): ClusterAccess {
  let read: { readonly atMs: number; readonly credentials: Promise<Credentials> } | undefined;
  return {
    server: () => cluster.server,
    async credentials() {
      if (read === undefined || nowMs() - read.atMs >= LONGEST_READ_MS) {
        const credentials = readCredentials(cluster);
        read = { atMs: nowMs(), credentials };
        // What cannot be read is tried again by the next request.
        credentials.catch(() => {
          if (read?.credentials === credentials) read = undefined;
        });
      }
      return await read.credentials;
    },
    createDispatcher(tls: TlsMaterial, options) {
      if (cluster.server.protocol !== 'https:' && cluster.skipTLSVerify !== true) {
        throw new TypeError(
          `HTTP protocol is not allowed: ${cluster.server.origin} does not verify whom it talks to; write https, or insecure-skip-tls-verify in the kubeconfig`,
        );
      }
      return new Agent({ ...AGENT_OPTIONS, connect: { ...tls, ...connectOptions(options), allowH2: false } });
    },
  };
}

async function readCredentials(cluster: PlainCluster): Promise<Credentials> {
  const [ca, cert, key, token] = await Promise.all(
    [cluster.ca, cluster.cert, cluster.key, cluster.token].map(async (source) => await textOf(source)),
  );
  const { username, password = '', skipTLSVerify, tlsServerName } = cluster;
  const headers: Record<string, string> = {};
  if (username !== undefined) headers.authorization = basicAuthorization(username, password);
  else if (token !== undefined) headers.authorization = `Bearer ${token.trim()}`;
  const rejectUnauthorized = skipTLSVerify === true ? false : undefined;
  return { headers, tls: withoutUndefined({ ca, cert, key, rejectUnauthorized, servername: tlsServerName }) };
}

async function textOf(source: TextSource | undefined): Promise<string | undefined> {
  if (source === undefined) return undefined;
  return 'text' in source ? source.text : await readFile(source.file, 'utf8');
}
