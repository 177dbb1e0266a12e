import type { Clock } from '../runtime/clock.ts';

/** Why a request is not held, or no longer. */
export type RefusalCause = 'full' | 'deadline';

export interface WaitingRoomOptions<Place> {
  readonly clock: Clock;
  /** Requests held at the same time. */
  readonly maxHeld: number;
  /** Of those, for one service. */
  readonly maxHeldPerService: number;
  /** How long a request is held at most, counted from its arrival. */
  readonly timeoutMs: number;
  /** Takes a place at a pod of the service; undefined while there is none. */
  readonly take: (service: string) => Place | undefined;
  /** With what a request is refused. */
  readonly refusal: (service: string, cause: RefusalCause) => Error;
  /** Told of each request that has to wait. */
  readonly onHeld: (service: string) => void;
  /** Told of the end of each wait: `undefined` where the request went to a pod. */
  readonly onLeft: (service: string, heldMs: number, error: unknown) => void;
}

/** A request's right to its turn, kept when it has to wait once more. */
export interface Ticket {
  readonly service: string;
  readonly number: number;
  readonly arrivedMs: number;
}

interface Waiter<Place> {
  readonly ticket: Ticket;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Where requests wait for a pod: first come, first served for each service, bounded in number and time. It decides and
 * counts; what a request is, it does not know.
 */
export class WaitingRoom<Place> {
  readonly #options: WaitingRoomOptions<Place>;
  /** In the order of their tickets. */
  readonly #waiting = new Map<string, Waiter<Place>[]>();
  #held = 0;
  #tickets = 0;

  constructor(options: WaitingRoomOptions<Place>) {
    this.#options = options;
  }

  /** How many requests wait. */
  get held(): number {
    return this.#held;
  }

  heldFor(service: string): number {
    return this.#waiting.get(service)?.length ?? 0;
  }

  /** A request came in. */
  arrive(service: string): Ticket {
    return { service, number: ++this.#tickets, arrivedMs: this.#options.clock.elapsedMs() };
  }

  /**
   * Resolves when it is the request's turn. Rejects with the room's refusal, with what `refuse` says, or with the
   * signal's reason.
   *
   * @param again its place was of no use: it waits once more, before all that came later, and is never one too many
   */
  place(ticket: Ticket, signal: AbortSignal, again = false): Promise<Place> {
    const { service } = ticket;
    const { maxHeld, maxHeldPerService, refusal, take } = this.#options;
    if (signal.aborted) return Promise.reject(signal.reason);
    const queue = this.#waiting.get(service) ?? [];
    if (queue[0] === undefined || ticket.number < queue[0].ticket.number) {
      const place = take(service);
      if (place !== undefined) return Promise.resolve(place);
    }
    if (!again && (this.#held >= maxHeld || queue.length >= maxHeldPerService)) {
      return Promise.reject(refusal(service, 'full'));
    }
    return this.#wait(ticket, queue, signal);
  }

  /** Gives each free place to who is next. */
  serve(service: string): void {
    for (let first = this.#waiting.get(service)?.[0]; first !== undefined; first = this.#waiting.get(service)?.[0]) {
      const place = this.#options.take(service);
      if (place === undefined) return;
      first.resolve(place);
    }
  }

  /** Sends away all that wait for a service. */
  refuse(service: string, error: Error): void {
    for (const { reject } of [...(this.#waiting.get(service) ?? [])]) reject(error);
  }

  /** Sends away everybody. */
  refuseAll(error: (service: string) => Error): void {
    for (const service of [...this.#waiting.keys()]) this.refuse(service, error(service));
  }

  #wait(ticket: Ticket, queue: Waiter<Place>[], signal: AbortSignal): Promise<Place> {
    const { service, arrivedMs } = ticket;
    const { clock, timeoutMs, refusal, onHeld, onLeft } = this.#options;
    const startMs = clock.elapsedMs();
    return new Promise((resolve, reject) => {
      const leave = (error?: unknown): void => {
        cancelDeadline();
        signal.removeEventListener('abort', onAbort);
        queue.splice(queue.indexOf(waiter), 1);
        if (queue.length === 0) this.#waiting.delete(service);
        this.#held--;
        onLeft(service, clock.elapsedMs() - startMs, error);
      };
      const waiter: Waiter<Place> = {
        ticket,
        resolve: (place) => {
          leave();
          resolve(place);
        },
        reject: (error) => {
          leave(error);
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal.reason);
      const cancelDeadline = clock.schedule(Math.max(0, arrivedMs + timeoutMs - startMs), () =>
        waiter.reject(refusal(service, 'deadline')),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      const behind = queue.findIndex((other) => other.ticket.number > ticket.number);
      queue.splice(behind === -1 ? queue.length : behind, 0, waiter);
      this.#waiting.set(service, queue);
      this.#held++;
      onHeld(service);
    });
  }
}
