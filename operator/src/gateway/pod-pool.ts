import type { Clock } from '../runtime/clock.ts';
import type { IpAddress } from '../runtime/ready-address.ts';
import type { BackendPod } from './backend-pod.ts';

export interface PodPoolOptions {
  readonly clock: Clock;
  /**
   * Requests that one pod gets at a time from one gateway. Default: 64, so that two gateways do not overflow the queue
   * of a server that batches (256) with all that was held while it started.
   */
  readonly maxPerPod?: number | undefined;
}

/** A place at a pod, to be given back. */
export interface Lease {
  readonly address: IpAddress;
  /** @param reached false: no connection to the pod could be made, and it is left alone for a moment */
  release(reached: boolean): void;
}

interface Use {
  requests: number;
  /** When it was last given a request, counted in requests. */
  turn: number;
  failures: number;
  /** Not tried before that moment of the clock's elapsed time. */
  tryAgainMs: number;
}

const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 2000;

/** Shares requests out among pods: the one with the fewest of ours next, in turn among equals. */
export class PodPool {
  readonly #clock: Clock;
  readonly #maxPerPod: number;
  readonly #uses = new Map<string, Use>();
  #turns = 0;

  constructor({ clock, maxPerPod = 64 }: PodPoolOptions) {
    this.#clock = clock;
    this.#maxPerPod = maxPerPod;
  }

  /** A place at one of the pods that are ready; undefined while there is none. */
  lease(pods: readonly BackendPod[]): Lease | undefined {
    const now = this.#clock.elapsedMs();
    let best: { readonly use: Use; readonly address: IpAddress } | undefined;
    for (const { metadata, address } of pods) {
      const use = this.#useOf(metadata.uid);
      if (address === undefined || use.requests >= this.#maxPerPod || use.tryAgainMs > now) continue;
      if (best === undefined || isBefore(use, best.use)) best = { use, address };
    }
    return best === undefined ? undefined : this.#take(best.use, best.address);
  }

  /** In how many milliseconds a pod that could not be reached is tried again; undefined: none waits for that. */
  nextTryMs(pods: readonly BackendPod[]): number | undefined {
    const now = this.#clock.elapsedMs();
    const waits = pods
      .filter(({ address }) => address !== undefined)
      .map(({ metadata }) => (this.#uses.get(metadata.uid)?.tryAgainMs ?? 0) - now)
      .filter((waitMs) => waitMs > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** Forgets a pod that is gone. */
  forget(uid: string): void {
    this.#uses.delete(uid);
  }

  #useOf(uid: string): Use {
    const known = this.#uses.get(uid);
    if (known !== undefined) return known;
    const use: Use = { requests: 0, turn: 0, failures: 0, tryAgainMs: 0 };
    this.#uses.set(uid, use);
    return use;
  }

  #take(use: Use, address: IpAddress): Lease {
    use.requests++;
    use.turn = ++this.#turns;
    return {
      address,
      release: (reached) => {
        use.requests--;
        const now = this.#clock.elapsedMs();
        if (reached) use.failures = 0;
        // Of many that fail together, one counts.
        else if (use.tryAgainMs <= now) {
          use.tryAgainMs = now + Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** use.failures);
          use.failures++;
        }
      },
    };
  }
}

function isBefore(a: Use, b: Use): boolean {
  return a.requests < b.requests || (a.requests === b.requests && a.turn < b.turn);
}
