import { once } from 'node:events';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { errorMessage, ModelFailure } from './failures.ts';

/** What is said of an address that means every interface: one at which this machine answers. */
const REACHABLE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/**
 * Listens, and returns the URL at which this machine reaches it.
 *
 * @param port 0 takes a free one
 * @throws ModelFailure `PortInUse`, `InvalidConfig`
 */
export async function listen(server: Server, host: string, port: number, setting: string): Promise<string> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new ModelFailure(
        'PortInUse',
        `Port ${port} of ${host} is taken by another program: stop that program, or set ${setting} to another port (0 takes a free one)`,
        { cause: error },
      );
    }
    throw new ModelFailure('InvalidConfig', `Could not listen on port ${port} of ${host}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  const name = REACHABLE[host] ?? (isIP(host) === 6 ? `[${host}]` : host);
  return `http://${name}:${taken}`;
}
