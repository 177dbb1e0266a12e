/**
 * Node's IPC channel between the server and the process that started it, where there is one: `modelservice run` learns
 * over it where the models are and sends new lists of them. A pod has no such channel. The messages are those of
 * control.schema.json.
 */
import type { ModelProgressMessage, ReloadMessage, ServerListeningMessage } from './control.generated.ts';

/** What is used of `node:process`. */
export interface IpcProcess {
  send?:
    | ((message: object, handle: undefined, options: undefined, done: (error: Error | null) => void) => boolean)
    | undefined;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

export interface ControlEvents {
  onReload(config: object): void;
  /** The other side is gone. */
  onDisconnect(): void;
  /** A message that is none of ours. */
  onUnknown(message: unknown): void;
}

/** @returns a function that sends, and that does nothing where no process listens */
export function openControlChannel(
  ipc: IpcProcess,
  events: ControlEvents,
): (message: ModelProgressMessage | ServerListeningMessage) => void {
  if (ipc.send === undefined) return () => undefined;
  ipc.on('message', (message) => {
    if (isReload(message)) events.onReload(message.config);
    else events.onUnknown(message);
  });
  ipc.on('disconnect', () => events.onDisconnect());
  return (message) => {
    // A channel that closed meanwhile is told by `disconnect`; its error here says nothing more.
    ipc.send?.(message, undefined, undefined, () => undefined);
  };
}

function isReload(message: unknown): message is ReloadMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, config } = message as { readonly type?: unknown; readonly config?: unknown };
  return type === 'reload' && typeof config === 'object' && config !== null && !Array.isArray(config);
}
