// What kube-proxy is to a Service: takes connections and passes each on to one of the Service's endpoints.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpRelay extends AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** From now on new connections go to these ports of 127.0.0.1, in turn. Those that are open go on. */
  route(ports: readonly number[]): void;
}

/** Nobody is behind it at first: connections end at once. */
export async function startTcpRelay(): Promise<TcpRelay> {
  let targets: readonly number[] = [];
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const target = targets[turn++ % targets.length];
    if (target === undefined) {
      client.destroy();
      return;
    }
    const backend = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      // A reset at one end is one at the other; who tries again is not the relay's business.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    route(ports) {
      targets = ports;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
