/** Names and values in turn, as Node's `rawHeaders`. */
export type RawHeaders = readonly string[];

/** Of one connection, not of the message (RFC 9110, 7.6.1); and what is between a client and its proxy alone. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);
/** What a message means without them is another thing, whatever its Connection header names. */
const NEVER_DROPPED = new Set(['content-length', 'host']);
/** How a socket that takes IPv4 and IPv6 names a client of IPv4. */
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;
const VIA = '1.1 modelservice-gateway';

export interface RequestHead {
  readonly method: string;
  readonly headers: RawHeaders;
  /** The Transfer-Encoding of a body that comes in chunks, without a length. */
  readonly transferEncoding: string | undefined;
  readonly remoteAddress: string | undefined;
  /** The pod's, for a client of HTTP/1.0 that names no host. */
  readonly host: string;
}

/** The headers that a pod gets: the client's own, those of its connection replaced. */
export function requestHeaders(head: RequestHead): string[] {
  const { method, headers, transferEncoding, remoteAddress, host } = head;
  const chunked = transferEncoding !== undefined;
  const passed = withoutFields(endToEnd(headers), ['x-forwarded-for', ...(chunked ? ['content-length'] : ['trailer'])]);
  const names = new Set(passed.map(([name]) => name.toLowerCase()));
  const forwardedFor = [
    ...valuesOf(headers, 'x-forwarded-for'),
    ...(remoteAddress === undefined ? [] : [remoteAddress.replace(IPV4_MAPPED, '')]),
  ];
  return [
    ...passed,
    ...(names.has('host') ? [] : [['Host', host]]),
    ...(forwardedFor.length === 0 ? [] : [['X-Forwarded-For', forwardedFor.join(', ')]]),
    ['Via', VIA],
    ['Connection', 'close'],
    ...framing(method, transferEncoding, names.has('content-length')),
  ].flat();
}

/**
 * The headers that a client gets. Each connection carries one request: the next one of the client then finds its way to
 * a pod, without us.
 *
 * @param chunked whether the client gets the body in chunks
 */
export function responseHeaders(headers: RawHeaders, chunked: boolean): string[] {
  const passed = withoutFields(endToEnd(headers), chunked ? [] : ['trailer']);
  return [...passed, ['Via', VIA], ['Connection', 'close']].flat();
}

/** Names and values by pairs, as `addTrailers` wants them. */
export function pairsOf(headers: RawHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2)
    pairs.push([headers[index] ?? '', headers[index + 1] ?? '']);
  return pairs;
}

function endToEnd(headers: RawHeaders): readonly [string, string][] {
  const named = valuesOf(headers, 'connection').flatMap((value) =>
    value.split(',').map((token) => token.trim().toLowerCase()),
  );
  const dropped = new Set([...HOP_BY_HOP, ...named.filter((name) => !NEVER_DROPPED.has(name))]);
  return withoutFields(pairsOf(headers), dropped);
}

function withoutFields(pairs: readonly [string, string][], names: Iterable<string>): readonly [string, string][] {
  const dropped = new Set(names);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}

function valuesOf(headers: RawHeaders, wanted: string): readonly string[] {
  return pairsOf(headers).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
}

/** How the body's end is found; Node would guess by the method alone. */
function framing(
  method: string,
  transferEncoding: string | undefined,
  hasLength: boolean,
): readonly (readonly [string, string])[] {
  if (transferEncoding !== undefined) return [['Transfer-Encoding', transferEncoding]];
  return !hasLength && ['POST', 'PUT', 'PATCH'].includes(method) ? [['Content-Length', '0']] : [];
}
