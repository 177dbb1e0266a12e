import { writeFileSync } from 'node:fs';

/** Why the process ends, as the operator reads it from the pod's status. */
export interface Termination {
  /** One of the reasons of failures.ts. */
  readonly reason: string;
  readonly message: string;
  /** The model at fault, where there is one. */
  readonly model?: string;
}

/** Kubernetes' default; the kubelet puts the file there before the container starts. */
const KUBERNETES_PATH = '/dev/termination-log';
/** Kubernetes cuts a termination message at 4096 bytes, and JSON that is cut cannot be read. */
const MAX_BYTES = 4096;

/** The message as JSON that fits; a long text loses its end. */
export function terminationJson(termination: Termination): string {
  let { message } = termination;
  for (;;) {
    const text = JSON.stringify({ ...termination, message });
    const excess = Buffer.byteLength(text) - MAX_BYTES;
    if (excess <= 0 || message.length < 2) return text;
    message = `${message.slice(0, Math.min(message.length - 2, message.length - Math.ceil(excess / 6) - 1))}…`;
  }
}

/** Writes the message; does nothing where the file cannot be written, as on a laptop. Synchronous: the process ends. */
export function writeTerminationMessage(path: string, termination: Termination): void {
  try {
    // Outside a pod nobody made that file, and root could make it by mistake.
    writeFileSync(path, terminationJson(termination), { flag: path === KUBERNETES_PATH ? 'r+' : 'w' });
  } catch {
    // The log line says the same.
  }
}
