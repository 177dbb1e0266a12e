import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The open connections of an HTTP server and the answers that each still owes. */
export interface Connections {
  /** Counts a request on its connection until its answer has gone out or the connection is lost. */
  track(socket: Duplex, response: ServerResponse): void;
  isBusy(socket: Duplex): boolean;
  /** Lets each busy connection close after the last answer that it owes now, and say so in that answer's head. */
  closeAfterAnswers(): void;
  /**
   * From now on closes each connection on which nothing came and nothing was owed for `graceMs` milliseconds, also one
   * on which no request has ever come, which Node's `closeIdleConnections` would leave. RFC 9112, section 9.5: a client
   * may be sending a request just then, so a connection is given time to be used once more, and time in which this
   * process was kept from reading does not count.
   *
   * @returns ends that
   */
  closeWhenIdle(graceMs: number): () => void;
}

/** An idle connection is one on which nothing was found at so many looks in a row. */
const LOOKS = 10;
/** How long a client may take to close its side of a connection that we closed, in milliseconds. */
const LINGER_MS = 1000;

interface Connection {
  readonly answers: Set<ServerResponse>;
  bytesRead: number;
  quietLooks: number;
}

export function trackConnections(server: Server): Connections {
  const open = new Map<Duplex, Connection>();
  server.on('connection', (socket: Socket) => {
    open.set(socket, { answers: new Set(), bytesRead: 0, quietLooks: 0 });
    socket.once('close', () => open.delete(socket));
  });

  function look(): void {
    for (const [socket, connection] of open) {
      const { bytesRead } = socket as Socket;
      const quiet = connection.answers.size === 0 && connection.bytesRead === bytesRead;
      connection.bytesRead = bytesRead;
      connection.quietLooks = quiet ? connection.quietLooks + 1 : 0;
      if (connection.quietLooks >= LOOKS && socket.writable) closeGently(socket);
    }
  }

  return {
    track: (socket, response) => {
      const answers = open.get(socket)?.answers;
      answers?.add(response);
      response.once('close', () => answers?.delete(response));
    },
    isBusy: (socket) => (open.get(socket)?.answers.size ?? 0) > 0,
    closeAfterAnswers: () => {
      for (const { answers } of open.values()) {
        // Pipelined requests that have come are answered all: a close announced earlier would drop those behind it.
        const last = [...answers].at(-1);
        if (last !== undefined && !last.headersSent) last.shouldKeepAlive = false;
      }
    },
    closeWhenIdle: (graceMs) => {
      // What arrives lies unread while this process is kept from its work, and a timer may fire before it is read. An
      // immediate comes after the reading.
      const timer = setInterval(() => setImmediate(look), graceMs / LOOKS);
      return () => clearInterval(timer);
    },
  };
}

/**
 * In two steps, as RFC 9112, section 9.6: says that nothing more is sent, and goes on reading until the client has heard
 * it. To end both at once would reset the connection if a request has just come, which many a client takes for more
 * than the end of an idle connection and does not try again.
 */
function closeGently(socket: Duplex): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
