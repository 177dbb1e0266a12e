import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Reconcile } from '../runtime/reconcile.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import type { Refusal } from './answer.ts';
import type { BackendPod } from './backend-pod.ts';
import type { GatewayConfig } from './config.ts';
import type { ModelService } from './contract.ts';
import { type GatewayMetrics, gatewayMetrics } from './gateway-metrics.ts';
import type { Exchange } from './listeners.ts';
import { type Lease, PodPool } from './pod-pool.ts';
import { holdRefusal, stateRefusal, stoppingRefusal } from './refusals.ts';
import { ClientLeftError, RequestServer } from './request-server.ts';
import { WaitingRoom } from './waiting-room.ts';
import { Waker } from './waker.ts';

export interface HoldingOptions {
  readonly api: Pick<KubeApi, 'apply'>;
  readonly services: StoreReader<ModelService>;
  readonly podsOf: (service: string) => readonly BackendPod[];
  readonly registry: Registry;
  readonly limits: Pick<GatewayConfig, 'holdTimeoutMs' | 'maxHeldRequests'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Has `reconcileWake` called for a service soon, by a work queue. */
  readonly askToWake: (service: string) => void;
}

/** Brings requests, pods and wake requests together. Services are named `namespace/name`. */
export class Holding {
  readonly #options: HoldingOptions;
  readonly #pool: PodPool;
  readonly #room: WaitingRoom<Lease>;
  readonly #server: RequestServer;
  readonly #waker: Waker;
  readonly #metrics: GatewayMetrics;
  /** Cancels the look at pods that could not be reached, by service. */
  readonly #retries = new Map<string, () => void>();

  constructor(options: HoldingOptions) {
    const { api, services, registry, limits, clock, log } = options;
    this.#options = options;
    this.#pool = new PodPool({ clock });
    this.#room = new WaitingRoom<Lease>({
      clock,
      maxHeld: limits.maxHeldRequests,
      // One service that nobody can wake leaves room for the others.
      maxHeldPerService: Math.floor(limits.maxHeldRequests / 2),
      timeoutMs: limits.holdTimeoutMs,
      take: (service) => this.#pool.lease(options.podsOf(service)),
      refusal: (service, cause) => holdRefusal(service, services.get(service), cause),
      onHeld: (service) => {
        // Those behind the first do not hurry a write that failed: an API server in trouble is not to be flooded.
        if (this.#room.heldFor(service) === 1 || this.#hasPod(service)) this.#arrange(service);
      },
      onLeft: (_, heldMs, error) => this.#metrics.held(resultOf(error), heldMs / 1000),
    });
    this.#metrics = gatewayMetrics(registry, () => this.#room.held);
    this.#server = new RequestServer({
      room: this.#room,
      refusal: (service) => this.#refusal(service),
      onReleased: (service) => this.#room.serve(service),
      onAnswered: this.#metrics.answered,
      log,
    });
    this.#waker = new Waker({
      api,
      services,
      isAwaited: (service) =>
        this.#room.heldFor(service) > 0 && !this.#hasPod(service) && this.#refusal(service) === undefined,
      clock,
      onWritten: this.#metrics.wakeRequested,
    });
  }

  get held(): number {
    return this.#room.held;
  }

  /** Takes a request from its arrival to its answer. */
  readonly take = (service: string, exchange: Exchange): void => this.#server.take(service, exchange);

  /** Writes a wake request where one is due. */
  readonly reconcileWake: Reconcile = (service, context) => this.#waker.reconcile(service, context);

  /** The service or its pods have changed. */
  review(service: string): void {
    if (this.#hasPod(service)) this.#waker.forget(service);
    this.#room.serve(service);
    if (this.#room.heldFor(service) === 0) return;
    const refusal = this.#refusal(service);
    if (refusal === undefined) this.#arrange(service);
    else this.#room.refuse(service, refusal);
  }

  /** The service may no longer go to zero. What is held for it waits on: its pods are coming, or it goes as well. */
  retire(service: string): void {
    this.#waker.forget(service);
    this.#metrics.forget(service);
  }

  forgetPod(uid: string): void {
    this.#pool.forget(uid);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#server.idle();
  }

  /** Answers all that is held with the advice to try again. */
  sendAway(): void {
    this.#room.refuseAll(stoppingRefusal);
  }

  /** Ends all that is under way. */
  cut(): void {
    this.#server.cut();
    for (const cancel of this.#retries.values()) cancel();
    this.#retries.clear();
  }

  /** Sees to it that what waits does not wait in vain. */
  #arrange(service: string): void {
    const { podsOf, clock, askToWake } = this.#options;
    if (!this.#hasPod(service)) {
      askToWake(service);
      return;
    }
    const retryMs = this.#pool.nextTryMs(podsOf(service));
    if (retryMs === undefined || this.#retries.has(service)) return;
    const look = (): void => {
      this.#retries.delete(service);
      this.review(service);
    };
    this.#retries.set(service, clock.schedule(retryMs, look));
  }

  #hasPod(service: string): boolean {
    return this.#options.podsOf(service).some(({ address }) => address !== undefined);
  }

  /** While a pod answers, nothing is refused. */
  #refusal(service: string): Refusal | undefined {
    return this.#hasPod(service) ? undefined : stateRefusal(service, this.#options.services.get(service));
  }
}

function resultOf(error: unknown): 'forwarded' | 'refused' | 'left' {
  if (error === undefined) return 'forwarded';
  return error instanceof ClientLeftError ? 'left' : 'refused';
}
