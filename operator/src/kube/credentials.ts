import type { RequestOptions } from 'node:https';
import type { Dispatcher } from 'undici';

/** What one connection and one request need to be let in. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

export interface TlsMaterial {
  readonly ca?: RequestOptions['ca'];
  readonly cert?: RequestOptions['cert'];
  readonly key?: RequestOptions['key'];
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

/** How connections are made, whatever lets one in. */
export interface DispatcherOptions {
  readonly connectTimeoutMs: number;
}

/** An API server, and how one is let in. */
export interface ClusterAccess {
  /** A path prefix included. Throws where nothing names a server. */
  server(): URL;
  /** To be asked for each request: tokens and certificates change. */
  credentials(): Promise<Credentials>;
  /** Makes connections for that material. */
  createDispatcher(tls: TlsMaterial, options: DispatcherOptions): Dispatcher;
}

/**
 * Of every agent. HTTP/1.1: each watch has a connection of its own, so that one dead connection cannot silence all of
 * them (kubernetes/kubernetes#65012 is about Go's client multiplexing over HTTP/2).
 */
export const AGENT_OPTIONS = { allowH2: false, pipelining: 1, keepAliveTimeout: 60_000 };

/** The part of undici's `connect` that does not depend on credentials. */
export function connectOptions({ connectTimeoutMs }: DispatcherOptions): {
  readonly timeout: number;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
} {
  return { timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
}

/** True when connections made with `a` are as good as ones made with `b`. */
export function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return a === b || tlsKey(a) === tlsKey(b);
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Without the fields that are undefined: undici takes their presence for a wish. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(defined) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function tlsKey(tls: TlsMaterial): string {
  return JSON.stringify([tls.ca, tls.cert, tls.key, tls.rejectUnauthorized, tls.servername].map(String));
}
