import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ServerConfig } from '../modelservice/server-config.generated.ts';
import type { ControlMessage, ModelProgressMessage, ServerListeningMessage } from './control.generated.ts';

export interface ServerEvents {
  onMessage(message: ModelProgressMessage | ServerListeningMessage): void;
  /** A line of the server's log. */
  onLine(line: string): void;
}

export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The model server as a child process. */
export interface ServerProcess {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<ServerEnd>;
  reload(config: ServerConfig): void;
  /** Lets requests in flight finish. */
  drain(): void;
  kill(): void;
}

/**
 * @param program path of the server's launcher
 * @param configFile path of the configuration that it starts with
 */
export function startServer(
  program: string,
  configFile: string,
  env: NodeJS.ProcessEnv,
  events: ServerEvents,
): ServerProcess {
  const child = fork(program, ['--config', configFile], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C reaches us alone, and we let the server drain.
    detached: process.platform !== 'win32',
  });
  child.on('message', (message) => {
    if (isProgress(message)) events.onMessage(message);
  });
  const lines = [child.stdout, child.stderr].map((stream) => forwardLines(stream, events.onLine));
  const { promise: exited, resolve } = Promise.withResolvers<ServerEnd>();
  child.on('exit', (code, signal) => resolve({ code, signal }));
  child.on('error', (error) => {
    events.onLine(`Could not start the server ${program}: ${error.message}`);
    resolve({ code: 1, signal: null });
  });
  const send = (message: ControlMessage): void => {
    // A child that has just ended is told by its exit.
    if (child.connected) child.send(message, () => undefined);
  };
  return {
    ended: exited.then(async (end) => {
      await Promise.all(lines);
      return end;
    }),
    reload: (config) => send({ type: 'reload', config }),
    drain: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  };
}

async function forwardLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream === null) return;
  for await (const line of createInterface({ input: stream })) onLine(line);
}

function isProgress(message: unknown): message is ModelProgressMessage | ServerListeningMessage {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false;
  return message.type === 'model' || message.type === 'listening';
}
