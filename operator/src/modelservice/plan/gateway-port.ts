import type { EndpointSlice } from '../live-objects.ts';

/** Below what Linux and Kubernetes' NodePorts hand out by themselves (from 30000). */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 29_999;
const COUNT = LAST_PORT - FIRST_PORT + 1;

/** The gateway's port of a slice; undefined where it has none of ours. */
export function gatewayPortOf(slice: EndpointSlice): number | undefined {
  const port = slice.ports?.[0]?.port;
  return port !== undefined && port >= FIRST_PORT && port <= LAST_PORT ? port : undefined;
}

/**
 * The port that the gateway keeps for the service `key` alone. The one that `own` has stays, except where two services
 * chose the same one at the same moment: then the younger slice moves. Undefined: all are taken.
 */
export function chooseGatewayPort(
  key: string,
  own: EndpointSlice | undefined,
  others: readonly EndpointSlice[],
): number | undefined {
  const live = own === undefined ? undefined : gatewayPortOf(own);
  if (own !== undefined && live !== undefined) {
    if (!others.some((other) => gatewayPortOf(other) === live && isOlder(other, own))) return live;
  }
  const taken = new Set(others.map(gatewayPortOf));
  const first = hashOf(key) % COUNT;
  for (let step = 0; step < COUNT; step++) {
    const port = FIRST_PORT + ((first + step) % COUNT);
    if (!taken.has(port)) return port;
  }
  return undefined;
}

function isOlder(a: EndpointSlice, b: EndpointSlice): boolean {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ''} ${metadata.uid}`);
  return (first ?? '') < (second ?? '');
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
