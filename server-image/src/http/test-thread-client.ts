import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** For tests: a TCP client in a thread of its own, which goes on while this thread is kept from its work. */
export interface ThreadClient extends AsyncDisposable {
  /**
   * Sends it, on a connection that it opens where it has none, and once the kernel has it wakes whoever waits for that
   * with `Atomics.wait`.
   */
  writeAndWake(text: string, sent: Int32Array<SharedArrayBuffer>): void;
  /** Resolves with everything received when the connection is closed; an error is the last line of it. */
  closed(): Promise<string>;
}

const CLIENT = `
const { connect } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
let received = '';
let socket;
function open() {
  socket = connect(workerData.port, '127.0.0.1');
  socket.setEncoding('latin1').on('data', (part) => { received += part; });
  socket.on('error', (error) => { received += '\\n' + error.message; });
  socket.on('close', () => parentPort.postMessage({ closed: received }));
  socket.on('connect', () => parentPort.postMessage('connected'));
}
if (workerData.connected) open();
else parentPort.postMessage('started');
parentPort.on('message', ({ text, sent }) => {
  if (socket === undefined) open();
  socket.write(text, 'latin1', () => {
    Atomics.store(sent, 0, 1);
    Atomics.notify(sent, 0);
  });
});
`;

/** @param options whether it opens its connection at once, and not with the first that it writes. Default: at once */
export async function threadClient(port: number, { connected = true } = {}): Promise<ThreadClient> {
  const worker = new Worker(CLIENT, { eval: true, workerData: { port, connected } });
  const closed = new Promise<string>((resolve) => {
    worker.on('message', (message: string | { readonly closed: string }) => {
      if (typeof message !== 'string') resolve(message.closed);
    });
  });
  await once(worker, 'message');
  return {
    writeAndWake: (text, sent) => worker.postMessage({ text, sent }),
    closed: () => closed,
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

/** Keeps this thread from its work until the client has written, and for so many milliseconds after that. */
export function blockedWhile(client: ThreadClient, text: string, furtherMs: number): void {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  client.writeAndWake(text, sent);
  Atomics.wait(sent, 0, 0);
  Atomics.wait(sent, 0, 1, furtherMs);
}
