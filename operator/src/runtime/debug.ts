import { type Handler, text } from './http-endpoint.ts';
import type { ElectionState } from './leader-election.ts';
import type { ReflectorState } from './reflector.ts';
import type { WorkQueueState } from './work-queue.ts';

/** So many keys of each sort are listed; all are counted. */
const MAX_KEYS = 100;

export interface DebugState {
  readonly upSeconds: number;
  /** Whether the controllers work. */
  readonly isWorking: boolean;
  /** Undefined: none is elected, each process works. */
  readonly election?: ElectionState | undefined;
  readonly controllers: readonly {
    readonly name: string;
    readonly workers: number;
    readonly queue: WorkQueueState;
  }[];
  readonly stores: readonly {
    readonly kind: string;
    /** Of labels and fields; empty: all objects of the kind. */
    readonly selectors: readonly string[];
    readonly objects: number;
    readonly hasSynced: boolean;
    readonly watches: readonly ReflectorState[];
  }[];
}

/**
 * `/debug`: what the process has in hand, as JSON: names and numbers, nothing of the objects themselves. For callers
 * inside the pod, which `kubectl port-forward` is: who may not reach that has no use for the names either.
 */
export function debugHandler(state: () => DebugState): Handler {
  return async (path, { isLocal }) => {
    if (path !== '/debug') return undefined;
    if (!isLocal)
      return text(403, 'served inside the pod only: kubectl port-forward to this port, and ask 127.0.0.1\n');
    const { controllers, ...others } = state();
    const body = { ...others, controllers: controllers.map((one) => ({ ...one, queue: shownQueue(one.queue) })) };
    return { status: 200, contentType: 'application/json', body: `${JSON.stringify(body, null, 2)}\n` };
  };
}

function shownQueue({ waiting, working, delayed, failing }: WorkQueueState) {
  return {
    waiting: shown(waiting),
    working: shown(working.toSorted((a, b) => b.forMs - a.forMs)),
    delayed: shown(delayed.toSorted((a, b) => a.inMs - b.inMs)),
    failing: shown(failing.toSorted((a, b) => b.failures - a.failures)),
  };
}

function shown<T>(all: readonly T[]): { readonly count: number; readonly first: readonly T[] } {
  return { count: all.length, first: all.slice(0, MAX_KEYS) };
}
