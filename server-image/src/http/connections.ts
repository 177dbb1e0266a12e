import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The open connections of an HTTP server and the answers that each still owes. */
export interface Connections {
  /** Counts a request on its connection until its answer has gone out or the connection is lost. */
  track(socket: Duplex, response: ServerResponse): void;
  isBusy(socket: Duplex): boolean;
  /** Lets each busy connection close after the last answer that it owes now, and say so in that answer's head. */
  closeAfterAnswers(): void;
  /**
   * Closes the connections with no request under way. Node's `closeIdleConnections` leaves those on which no request
   * has ever come, and they would hold a server open until their head times out.
   */
  closeIdle(): void;
}

export function trackConnections(server: Server): Connections {
  const owed = new Map<Duplex, Set<ServerResponse>>();
  server.on('connection', (socket) => {
    owed.set(socket, new Set());
    socket.once('close', () => owed.delete(socket));
  });
  return {
    track: (socket, response) => {
      const answers = owed.get(socket);
      answers?.add(response);
      response.once('close', () => answers?.delete(response));
    },
    isBusy: (socket) => (owed.get(socket)?.size ?? 0) > 0,
    closeAfterAnswers: () => {
      for (const answers of owed.values()) {
        // Pipelined requests that have come are answered all: a close announced earlier would drop those behind it.
        const last = [...answers].at(-1);
        if (last !== undefined && !last.headersSent) last.shouldKeepAlive = false;
      }
    },
    closeIdle: () => {
      for (const [socket, answers] of owed) if (answers.size === 0) socket.destroy();
    },
  };
}
