import type { Logger } from 'pino';
import { endAnswer, Refusal, refuse } from './answer.ts';
import { connectTo, UnreachableError } from './connect.ts';
import { forward } from './forward.ts';
import type { Exchange } from './listeners.ts';
import type { Lease } from './pod-pool.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface RequestServerOptions {
  readonly room: WaitingRoom<Lease>;
  /** Why a request for the service is not even held. */
  readonly refusal: (service: string) => Refusal | undefined;
  /** A place at one of the service's pods is free again. */
  readonly onReleased: (service: string) => void;
  /** @param code 499: the client left before it got an answer */
  readonly onAnswered: (service: string, code: number) => void;
  readonly log: Logger;
}

/** The client closed its connection before it had its answer. */
export class ClientLeftError extends Error {
  override readonly name = 'ClientLeftError';
}

const CLIENT_LEFT = 499;

/** Takes requests from their arrival to their answer. */
export class RequestServer {
  readonly #options: RequestServerOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #cut = new AbortController();

  constructor(options: RequestServerOptions) {
    this.#options = options;
  }

  readonly take = (service: string, exchange: Exchange): void => {
    const done = this.#serve(service, exchange).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  };

  /** Resolves when nothing is held and nothing is being answered. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Ends what is under way, answered or not. */
  cut(): void {
    this.#cut.abort(new Error('the gateway had to stop'));
  }

  /** Never rejects. */
  async #serve(service: string, exchange: Exchange): Promise<void> {
    const { refusal, onAnswered, log } = this.#options;
    const { request, response } = exchange;
    const left = new AbortController();
    response.once('close', () => left.abort(new ClientLeftError('the client closed its connection')));
    // A client that breaks off is seen by the closing of its connection.
    for (const stream of [request, response]) stream.on('error', () => undefined);
    try {
      const refused = refusal(service);
      if (refused !== undefined) throw refused;
      await this.#forward(service, exchange, AbortSignal.any([left.signal, this.#cut.signal]));
      await endAnswer(exchange);
    } catch (error) {
      if (error instanceof Refusal) {
        if (error.cause !== undefined) log.warn({ err: error.cause, service }, 'A pod did not answer');
        await refuse(exchange, error);
      } else {
        if (!(error instanceof ClientLeftError)) log.warn({ err: error, service }, 'An answer broke off');
        response.destroy();
      }
    }
    onAnswered(service, response.headersSent ? response.statusCode : CLIENT_LEFT);
  }

  async #forward(service: string, exchange: Exchange, signal: AbortSignal): Promise<void> {
    const { room, onReleased, log } = this.#options;
    const ticket = room.arrive(service);
    for (let again = false; ; again = true) {
      const lease = await room.place(ticket, signal, again);
      let reached = true;
      try {
        const socket = await connectTo(lease.address, signal);
        await forward(exchange, socket, lease.address, signal);
        return;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        log.warn({ service, pod: lease.address, problem: error.message }, 'Could not connect to a pod');
        reached = false;
      } finally {
        lease.release(reached);
        onReleased(service);
      }
    }
  }
}
