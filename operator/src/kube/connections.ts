import type { Dispatcher } from 'undici';
import { type ClusterAccess, type DispatcherOptions, sameTls, type TlsMaterial } from './credentials.ts';

/** Keeps one agent, so that calls share connections, and changes it when a certificate was rotated. */
export class Connections {
  readonly #access: ClusterAccess;
  readonly #options: DispatcherOptions;
  #current: { readonly tls: TlsMaterial; readonly dispatcher: Dispatcher } | undefined;

  constructor(access: ClusterAccess, options: DispatcherOptions) {
    this.#access = access;
    this.#options = options;
  }

  dispatcherFor(tls: TlsMaterial): Dispatcher {
    if (this.#current !== undefined && sameTls(this.#current.tls, tls)) return this.#current.dispatcher;
    const old = this.#current?.dispatcher;
    this.#current = { tls, dispatcher: this.#access.createDispatcher(tls, this.#options) };
    // Lets the requests in flight finish; a watch goes on with the old certificate until the server ends it.
    old?.close().catch(() => undefined);
    return this.#current.dispatcher;
  }

  async close(): Promise<void> {
    await this.#current?.dispatcher.destroy();
    this.#current = undefined;
  }
}
