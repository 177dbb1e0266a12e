import type { KubeApi } from '../kube/api.ts';
import { isNotFound } from '../kube/errors.ts';
import { apiVersionOf } from '../kube/paths.ts';
import type { Clock } from '../runtime/clock.ts';
import { refOfKey } from '../runtime/object-key.ts';
import type { ReconcileContext, ReconcileResult } from '../runtime/reconcile.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { FIELD_MANAGER, MODEL_SERVICE, type ModelService } from './contract.ts';

export interface WakerOptions {
  readonly api: Pick<KubeApi, 'apply'>;
  readonly services: StoreReader<ModelService>;
  /** Whether requests wait for a service that has no pod and may be woken. */
  readonly isAwaited: (service: string) => boolean;
  readonly clock: Clock;
  readonly onWritten: (ok: boolean) => void;
}

/** A wake request that nothing came of is written again after so long. */
const REPEAT_MS = 15_000;

/**
 * Asks the operator to wake services: writes the present time into `status.scaling.wakeRequestTime`. Its reconcile runs
 * on a work queue, which never runs one service twice at once and tries again what failed.
 */
export class Waker {
  readonly #options: WakerOptions;
  /** When we wrote, by service, in the clock's elapsed time. */
  readonly #writtenMs = new Map<string, number>();

  constructor(options: WakerOptions) {
    this.#options = options;
  }

  /** A pod is ready, or the service is gone: the next request that waits belongs to another time at zero. */
  forget(service: string): void {
    this.#writtenMs.delete(service);
  }

  readonly reconcile = async (service: string, { signal, log }: ReconcileContext): Promise<ReconcileResult> => {
    const { api, isAwaited, clock, onWritten } = this.#options;
    if (!isAwaited(service)) return {};
    const waitMs = Math.max(this.#ownRestMs(service), this.#othersRestMs(service));
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const intent = {
      apiVersion: apiVersionOf(MODEL_SERVICE),
      kind: MODEL_SERVICE.kind,
      metadata: refOfKey(service),
      status: { scaling: { wakeRequestTime: new Date(clock.now()).toISOString() } },
    };
    try {
      await api.apply(MODEL_SERVICE, intent, { fieldManager: FIELD_MANAGER, subresource: 'status' }, signal);
    } catch (error) {
      if (isNotFound(error)) return {};
      onWritten(false);
      throw error;
    }
    onWritten(true);
    log.info('Asked for a service to be woken');
    this.#writtenMs.set(service, clock.elapsedMs());
    return { requeueAfterMs: REPEAT_MS };
  };

  #ownRestMs(service: string): number {
    const writtenMs = this.#writtenMs.get(service);
    return writtenMs === undefined ? 0 : writtenMs + REPEAT_MS - this.#options.clock.elapsedMs();
  }

  /** Another gateway has asked a moment ago, and the operator is at it. */
  #othersRestMs(service: string): number {
    const scaling = this.#options.services.get(service)?.status?.scaling;
    if (scaling?.state !== 'Waking') return 0;
    const ageMs = this.#options.clock.now() - Date.parse(scaling.wakeRequestTime ?? '');
    // Clocks of two machines differ a little; one that is far ahead must not silence us.
    return Math.abs(ageMs) < REPEAT_MS ? REPEAT_MS - Math.max(0, ageMs) : 0;
  }
}
