/**
 * The pods of the operator's benchmark, a process of its own, so that their work can be told from the metrics API's: each
 * listens at an address of its own and answers with what a model server's /metrics says of two requests in flight.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createListener, type Socket } from 'node:net';

/** A pod to begin with, or what one does from now on. */
export interface PodOrder {
  readonly id: number;
  readonly addresses: readonly string[];
  readonly port: number;
  /** Takes connections and never answers. */
  readonly hung: boolean;
}

const TEXT = ['modelservice_in_flight_avg15s', 'modelservice_requests_per_second_avg15s', 'modelservice_queued_avg15s']
  .map((name) => `# HELP ${name} A mean of 15 s.\n# TYPE ${name} gauge\n${name}{model="mnist",version="1"} 2\n`)
  .join('\n');

const hung = new Set<string>();
const listening = new Set<string>();
const open = new Map<string, Set<Socket>>();

const http = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume();
  if (hung.has(request.socket.localAddress ?? '')) return;
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(TEXT);
});

process.on('message', ({ id, addresses, port, hung: hangs }: PodOrder) => {
  Promise.all(
    addresses.map(async (address) => {
      if (hangs) hung.add(address);
      else if (hung.delete(address)) for (const socket of open.get(address) ?? []) socket.destroy();
      if (listening.has(address)) return;
      listening.add(address);
      const sockets = new Set<Socket>();
      open.set(address, sockets);
      const listener = createListener((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        http.emit('connection', socket);
      });
      await once(listener.listen(port, address), 'listening');
    }),
  ).then(
    () => process.send?.({ id }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
