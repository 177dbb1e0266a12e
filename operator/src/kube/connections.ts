import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { sameTls, type TlsMaterial } from './credentials.ts';

export interface ConnectionOptions {
  readonly connectTimeoutMs: number;
}

/** Keeps one agent, so that calls share connections, and changes it when a certificate was rotated. */
export class Connections {
  readonly #kubeConfig: KubeConfig;
  readonly #options: ConnectionOptions;
  #current: { readonly tls: TlsMaterial; readonly dispatcher: Dispatcher } | undefined;

  constructor(kubeConfig: KubeConfig, options: ConnectionOptions) {
    this.#kubeConfig = kubeConfig;
    this.#options = options;
  }

  dispatcherFor(tls: TlsMaterial): Dispatcher {
    if (this.#current !== undefined && sameTls(this.#current.tls, tls)) return this.#current.dispatcher;
    const old = this.#current?.dispatcher;
    this.#current = { tls, dispatcher: createDispatcher(this.#kubeConfig, tls, this.#options) };
    // Lets the requests in flight finish; a watch goes on with the old certificate until the server ends it.
    old?.close().catch(() => undefined);
    return this.#current.dispatcher;
  }

  async close(): Promise<void> {
    await this.#current?.dispatcher.destroy();
    this.#current = undefined;
  }
}

function createDispatcher(kubeConfig: KubeConfig, tls: TlsMaterial, options: ConnectionOptions): Dispatcher {
  const { ca, cert, key, rejectUnauthorized, servername } = tls;
  const wanted = kubeConfig.createDispatcherOptions(kubeConfig.getCurrentCluster(), {
    ca,
    cert,
    key,
    rejectUnauthorized,
    servername,
  });
  // HTTP/1.1: each watch has a connection of its own, so that one dead connection cannot silence all of them
  // (kubernetes/kubernetes#65012 is about Go's client multiplexing over HTTP/2).
  const common = { allowH2: false, pipelining: 1, keepAliveTimeout: 60_000 };
  const connect = { timeout: options.connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
  switch (wanted.type) {
    case 'proxy':
    case 'socks':
      return new ProxyAgent({
        ...common,
        uri: wanted.uri,
        requestTls: { ...tlsConnect(wanted.requestTls), ...connect },
      });
    case 'agent':
      return new Agent({ ...common, connect: { ...tlsConnect(wanted.connect), ...connect } });
    case 'none':
      return new Agent({ ...common, connect });
  }
}

/** `allowH2: false` of the agent does not reach a `requestTls`; the other keys pass as they are. */
function tlsConnect(options: object): object {
  return { ...options, allowH2: false };
}
