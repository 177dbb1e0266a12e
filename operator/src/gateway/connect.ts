import { connect, type Socket } from 'node:net';
import type { IpAddress } from '../runtime/ready-address.ts';

/** No connection could be made, so nothing was sent: another pod may be asked. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** A node that is gone answers nothing at all. */
const CONNECT_TIMEOUT_MS = 3000;

/** Connects to a pod. Rejects with UnreachableError, or with the signal's reason. */
export async function connectTo({ ip, port }: IpAddress, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({ host: ip, port, noDelay: true, keepAlive: true, timeout: CONNECT_TIMEOUT_MS });
  const connected = Promise.withResolvers<void>();
  const abort = (): void => connected.reject(signal.reason);
  const fail = (error: Error): void => connected.reject(new UnreachableError(error.message, { cause: error }));
  const timeOut = (): void => fail(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
  signal.addEventListener('abort', abort, { once: true });
  socket.once('connect', connected.resolve).once('timeout', timeOut).on('error', fail);
  try {
    await connected.promise;
    socket.setTimeout(0);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.off('connect', connected.resolve).off('timeout', timeOut);
    // The listener of errors stays until somebody else's: an error without any would end the process.
  }
}
