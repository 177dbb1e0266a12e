import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ServerConfig } from './config/config.generated.ts';
import type { ControlMessage, ModelProgressMessage, ServerListeningMessage } from './control/control.generated.ts';

/** For tests: the real server as a child process, as `modelservice run` starts it. */
export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  listening(): Promise<ServerListeningMessage>;
  /** The first message of this phase that comes from now on, or has come since the last call. */
  phase(model: string, phase: ModelProgressMessage['phase']): Promise<ModelProgressMessage>;
  reload(config: ServerConfig): void;
  /** Resolves with the exit code when the process has ended. */
  exited(): Promise<number | null>;
  /** The lines that it logged. */
  log(): readonly Record<string, unknown>[];
  /** What it wrote to standard error. */
  stderr(): string;
}

const SERVER = fileURLToPath(new URL('../bin/server.js', import.meta.url));

/** @param execArgv options of Node's own, for faults that nothing from outside can bring about */
export function startServer(
  config: ServerConfig | undefined,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
): ServerProcess {
  const { MODELSERVICE_CONFIG: _, ...environment } = process.env;
  const child = fork(SERVER, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [...execArgv],
    env: config === undefined ? environment : { ...environment, MODELSERVICE_CONFIG: JSON.stringify(config) },
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const messages: ControlMessage[] = [];
  child.on('message', (message: ControlMessage) => messages.push(message));
  // `close` would say the same, but never comes once the channel was disconnected from here.
  const outputs = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'close'));
  const closed = Promise.all([once(child, 'exit') as Promise<[number | null]>, ...outputs]).then(([exit]) => exit);

  async function take<Message extends ControlMessage>(
    what: string,
    fits: (message: ControlMessage) => message is Message,
  ): Promise<Message> {
    for (;;) {
      const index = messages.findIndex(fits);
      const message = messages[index];
      if (message !== undefined && fits(message)) {
        messages.splice(0, index + 1);
        return message;
      }
      const ended = await Promise.race([once(child, 'message').then(() => false), closed.then(() => true)]);
      if (ended) throw new Error(`The server ended before it said ${what}:\n${output.stdout}${output.stderr}`);
    }
  }

  return {
    child,
    listening: () => take('listening', (message) => message.type === 'listening'),
    phase: (model, phase) =>
      take(`${phase} of ${model}`, (message): message is ModelProgressMessage => {
        return message.type === 'model' && message.model === model && message.phase === phase;
      }),
    reload: (next) => child.send({ type: 'reload', config: next }),
    exited: async () => (await closed)[0],
    log: () =>
      output.stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    stderr: () => output.stderr,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await closed;
    },
  };
}

/** A folder that lasts as long as a test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'modelservice-server-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Writes a layers model that computes y = slope · x + 2, input `dense_input` and output `dense`, both [-1, 1]. */
export async function writeLineModel(folder: string, slope: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const dense = {
    name: 'dense',
    units: 1,
    activation: 'linear',
    use_bias: true,
    batch_input_shape: [null, 1],
    dtype: 'float32',
  };
  const json = {
    format: 'layers-model',
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
      model_config: {
        class_name: 'Sequential',
        config: { name: 'line', layers: [{ class_name: 'Dense', config: dense }] },
      },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          { name: 'dense/kernel', shape: [1, 1], dtype: 'float32' },
          { name: 'dense/bias', shape: [1], dtype: 'float32' },
        ],
      },
    ],
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  await writeFile(join(folder, 'weights.bin'), new Uint8Array(new Float32Array([slope, 2]).buffer));
  return pathToFileURL(folder).href;
}
