import type { KubeObject } from '../kube/types.ts';

/** Who asks, as the API server found out. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** How an aggregated API recognises the API server (kube-system/extension-apiserver-authentication). */
export interface FrontProxy {
  /** PEM: vouches for the API server's client certificate. */
  readonly clientCa: string;
  /** Common names that certificate may have; empty: any. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const AUTHENTICATION_CONFIG_MAP = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

/** What a request shows of itself; header names in lower case. */
export interface Credentials {
  /** Of a client certificate that `clientCa` vouches for; undefined where there is none. */
  readonly commonName: string | undefined;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}

/** undefined where the API server runs without an aggregation layer. */
export function frontProxyOf(configMap: ConfigMap): FrontProxy | undefined {
  const clientCa = configMap.data?.['requestheader-client-ca-file'];
  if (clientCa === undefined || clientCa.trim() === '') return undefined;
  const list = (key: string): readonly string[] => namesIn(configMap.data?.[`requestheader-${key}`]);
  const headers = (key: string): readonly string[] => list(key).map((name) => name.toLowerCase());
  return {
    clientCa,
    allowedNames: list('allowed-names'),
    usernameHeaders: headers('username-headers'),
    uidHeaders: headers('uid-headers'),
    groupHeaders: headers('group-headers'),
    extraHeaderPrefixes: headers('extra-headers-prefix'),
  };
}

/** The user for whom the API server asks; undefined for anybody else's request, whatever its headers say. */
export function authenticate(proxy: FrontProxy, { commonName, headers }: Credentials): User | undefined {
  if (commonName === undefined) return undefined;
  if (proxy.allowedNames.length > 0 && !proxy.allowedNames.includes(commonName)) return undefined;
  const all = (names: readonly string[]): readonly string[] => names.flatMap((name) => headers[name] ?? []);
  const name = all(proxy.usernameHeaders).find((value) => value !== '');
  if (name === undefined) return undefined;
  const uid = all(proxy.uidHeaders).find((value) => value !== '');
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: all(proxy.groupHeaders),
    extra: extraOf(proxy, headers),
  };
}

function extraOf(proxy: FrontProxy, headers: Credentials['headers']): User['extra'] {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, values = []] of Object.entries(headers)) {
    const prefix = proxy.extraHeaderPrefixes.find((candidate) => header.startsWith(candidate));
    if (prefix === undefined) continue;
    const key = decoded(header.slice(prefix.length));
    extra[key] = [...(extra[key] ?? []), ...values];
  }
  return extra;
}

/** As Go's API machinery does: what is not well encoded stays as it is. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function namesIn(json: string | undefined): readonly string[] {
  if (json === undefined || json === '') return [];
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
