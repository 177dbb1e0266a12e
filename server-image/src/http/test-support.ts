import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { request } from 'undici';
import { InferenceError } from '../failures.ts';
import type { LoadedModel, ModelRepository, ServedModel } from '../model/served-model.ts';
import { createLogger } from '../telemetry/log.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts';

/** For tests: a model that computes y = x / 2 + 2, held back where a test wants requests under way. */
export interface HalfPlusTwo extends LoadedModel {
  /** Inferences wait from now on; the function returned lets them go on. */
  hold(): () => void;
  /** How many inferences have begun. */
  readonly begun: () => number;
}

export function halfPlusTwo(): HalfPlusTwo {
  let gate = Promise.resolve();
  let begun = 0;
  return {
    digest: `sha256:${'0'.repeat(64)}`,
    format: 'GraphModel',
    engine: 'JavaScript',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    notes: [],
    begun: () => begun,
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    infer: async (inputs, _outputs, signal) => {
      begun++;
      await Promise.race([gate, once(signal, 'abort')]);
      if (signal.aborted) throw new InferenceError('Cancelled', 'The request was cancelled');
      const x = inputs.get('x');
      if (x === undefined) throw new InferenceError('Failed', 'x is missing');
      if (x.data[0] === 666) throw new InferenceError('Failed', 'The engine reported an error');
      return new Map([['y', { datatype: 'FP32', shape: x.shape, data: Float32Array.from(x.data, (v) => v / 2 + 2) }]]);
    },
  };
}

export function served(name: string, loaded: LoadedModel | undefined, more: Partial<ServedModel> = {}): ServedModel {
  const phase = loaded === undefined ? 'Loading' : 'Ready';
  return { name, version: '1', uri: `file:///${name}`, phase, loaded, failure: undefined, ...more };
}

export function repositoryOf(models: readonly ServedModel[]): ModelRepository {
  return { list: () => models, get: (name) => models.find((model) => model.name === name) };
}

export interface Started extends AsyncDisposable {
  readonly http: HttpServer;
  readonly telemetry: Telemetry;
  readonly url: string;
  readonly port: number;
}

/** A server on a free port of this machine; disposing of it cuts its connections. */
export async function start(
  models: readonly ServedModel[],
  options: Partial<HttpServerOptions> = {},
): Promise<Started> {
  const repository = repositoryOf(models);
  const telemetry = createTelemetry(repository);
  const log = createLogger('Error', { write: () => undefined });
  const http = createHttpServer({ repository, telemetry, log, version: '0.1.0', maxRequestBytes: 1 << 20, ...options });
  http.server.listen(0, '127.0.0.1');
  await once(http.server, 'listening');
  const { port } = http.server.address() as AddressInfo;
  return {
    http,
    telemetry,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      http.server.closeAllConnections();
      if (!http.server.listening) return;
      http.server.close();
      await once(http.server, 'close');
    },
  };
}

/** An answer read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends a request: a POST where there is a body. */
export async function ask(
  server: Started,
  path: string,
  body?: unknown,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await request(`${server.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    ...options,
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

/** A bare TCP client: writes bytes as they are told and collects what comes back until the server ends. */
export interface TcpClient {
  readonly socket: Socket;
  /** Everything received so far. */
  received(): string;
  /** Resolves when the text received fits the pattern. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with everything received when the connection is closed. */
  closed(): Promise<string>;
}

export async function tcp(port: number): Promise<TcpClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  const ended = once(socket, 'close');
  await once(socket, 'connect');
  return {
    socket,
    received: () => text,
    until: async (pattern) => {
      while (!pattern.test(text)) {
        if (socket.closed) throw new Error(`The server closed the connection; received: ${JSON.stringify(text)}`);
        await Promise.race([once(socket, 'data'), ended]);
      }
      return text;
    },
    closed: async () => {
      await ended;
      return text;
    },
  };
}

/** Waits for a condition; fails after ten seconds with what was waited for. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited 10 s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
