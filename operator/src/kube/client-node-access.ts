import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import {
  AGENT_OPTIONS,
  basicAuthorization,
  type ClusterAccess,
  type Credentials,
  connectOptions,
  type DispatcherOptions,
  type TlsMaterial,
  withoutUndefined,
} from './credentials.ts';

/**
 * The current context of a kubeconfig as client-node reads it: with exec plugins, identity providers and proxies.
 * client-node is the caller's to load: that costs some 80 MB of memory, most of it generated models.
 */
export function clientNodeAccess(kubeConfig: KubeConfig): ClusterAccess {
  return {
    server() {
      const cluster = kubeConfig.getCurrentCluster();
      if (cluster === null) throw new TypeError('the kubeconfig has no current cluster: set current-context');
      return new URL(cluster.server);
    },
    credentials: async () => await credentialsOf(kubeConfig),
    createDispatcher: (tls, options) => createDispatcher(kubeConfig, tls, options),
  };
}

/** Re-reads a token file once a minute, runs an exec plugin when its token has expired, reads certificates each time. */
async function credentialsOf(kubeConfig: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = { headers: {} };
  await kubeConfig.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
  if (options.auth) {
    const [username = '', ...password] = options.auth.split(':');
    headers.authorization = basicAuthorization(username, password.join(':'));
  }
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  return { headers, tls: withoutUndefined({ ca, cert, key, rejectUnauthorized, servername }) };
}

function createDispatcher(kubeConfig: KubeConfig, tls: TlsMaterial, options: DispatcherOptions): Dispatcher {
  const { ca, cert, key, rejectUnauthorized, servername } = tls;
  const wanted = kubeConfig.createDispatcherOptions(kubeConfig.getCurrentCluster(), {
    ca,
    cert,
    key,
    rejectUnauthorized,
    servername,
  });
  const connect = connectOptions(options);
  switch (wanted.type) {
    case 'proxy':
    case 'socks':
      return new ProxyAgent({
        ...AGENT_OPTIONS,
        uri: wanted.uri,
        requestTls: { ...tlsConnect(wanted.requestTls), ...connect },
      });
    case 'agent':
      return new Agent({ ...AGENT_OPTIONS, connect: { ...tlsConnect(wanted.connect), ...connect } });
    case 'none':
      return new Agent({ ...AGENT_OPTIONS, connect });
  }
}

/** `allowH2: false` of the agent does not reach a `requestTls`; the other keys pass as they are. */
function tlsConnect(options: object): object {
  return { ...options, allowH2: false };
}
