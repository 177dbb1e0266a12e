import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 60_000;

/** The messages of control.schema.json that matter here. */
interface Progress {
  readonly type: string;
  readonly url?: string;
  readonly metricsUrl?: string;
  readonly phase?: string;
  readonly message?: string;
  readonly reason?: string;
}

/** The real server with examples/mnist, as a process of its own. */
export interface MnistServer extends AsyncDisposable {
  readonly url: URL;
  readonly metricsUrl: URL;
}

/** Resolves once its model is ready; undefined where this machine lacks the engine. */
export async function startMnistServer(model: {
  readonly engine: string;
  readonly batching?: object | undefined;
}): Promise<MnistServer | undefined> {
  const config = {
    version: 1,
    server: { host: '127.0.0.1', port: 0, metricsPort: 0, logLevel: 'Error', failFast: false },
    models: [{ name: 'mnist', uri: new URL('../../examples/mnist/model', import.meta.url).href, ...model }],
  };
  const child = fork(fileURLToPath(new URL('../../server-image/bin/server.js', import.meta.url)), [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, MODELSERVICE_CONFIG: JSON.stringify(config) },
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const ended = exited.then(() => {
    throw new Error('The server ended before its model was ready');
  });
  ended.catch(() => {});
  try {
    let urls: { readonly url: URL; readonly metricsUrl: URL } | undefined;
    for (;;) {
      const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [Progress];
      if (message.url !== undefined && message.metricsUrl !== undefined) {
        urls = { url: new URL(message.url), metricsUrl: new URL(message.metricsUrl) };
      }
      if (message.reason === 'EngineUnavailable') {
        await stop();
        return undefined;
      }
      if (message.phase === 'Failed') throw new Error(message.message);
      if (message.phase === 'Ready' && urls !== undefined) return { ...urls, [Symbol.asyncDispose]: stop };
    }
  } catch (error) {
    await stop();
    throw error;
  }
}
