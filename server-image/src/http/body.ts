import { constants } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ClientGone, RequestError } from './request-error.ts';

export interface BodyLimits {
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** How long the next part of a body may take, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** The same limits, where a body of `maxBytes` would not fit into one JavaScript string of JSON. */
export function readableLimits(limits: BodyLimits): BodyLimits {
  return { ...limits, maxBytes: Math.min(limits.maxBytes, constants.MAX_STRING_LENGTH) };
}

/**
 * Refuses by its head a body that will not be read.
 *
 * @throws RequestError 413 or 415
 */
export function checkBodyHead(request: IncomingMessage, limits: BodyLimits): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new RequestError(415, `Content-Encoding "${encoding}" is not supported: send the body uncompressed`, {
      'accept-encoding': 'identity',
    });
  }
  if (request.headers['inference-header-content-length'] !== undefined) {
    throw new RequestError(415, 'The binary tensor extension is not served: send the tensors as JSON in "data"');
  }
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) throw tooLarge(limits);
}

/**
 * Reads a body whole.
 *
 * @throws RequestError 413 or 408, ClientGone
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const idle = setTimeout(() => {
    stop(
      new RequestError(408, `The body came to a halt for ${limits.idleTimeoutMs} ms: send it faster`, {
        connection: 'close',
      }),
    );
  }, limits.idleTimeoutMs);

  function onData(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > limits.maxBytes) {
      stop(tooLarge(limits));
      return;
    }
    chunks.push(chunk);
    idle.refresh();
  }
  function onEnd(): void {
    unhook();
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes));
  }
  function onClose(): void {
    stop(new ClientGone('The client left before its request was complete'));
  }
  function stop(error: Error): void {
    unhook();
    request.pause();
    reject(error);
  }
  function unhook(): void {
    clearTimeout(idle);
    request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    // A connection that breaks later emits another error, which needs a listener.
    request.on('error', () => undefined);
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  return promise;
}

function tooLarge(limits: BodyLimits): RequestError {
  return new RequestError(
    413,
    `The body is larger than this server takes, ${limits.maxBytes} bytes: send fewer rows at once, or raise server.maxRequestBytes`,
  );
}
