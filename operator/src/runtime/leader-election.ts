/**
 * Leader election by a Lease, after client-go's tools/leaderelection. Who leads is whose identity the record names, until
 * its duration has passed since the record was last seen to change, by a monotonic clock of the watcher's own: neither
 * the times in the record nor the machine's clock matter. Writes of the Lease are conditional on its resourceVersion.
 *
 * What differs from client-go: a standby waits at most one retry period, or until the lease runs out (there: up to 2.2
 * periods), so that it takes over within the lease's duration plus one period; a leader that sees another holder gives
 * up at once; the term counts from when its renewal was begun, and every write is held against it (WriteFence).
 */
import type { Logger } from 'pino';
import type { KubeUpdates } from '../kube/api.ts';
import { isConflict, isForbidden, isNotFound } from '../kube/errors.ts';
import { describeRef } from '../kube/paths.ts';
import { LEASE } from '../kube/resources.ts';
import { type Clock, sleep } from './clock.ts';
import type { LeaseRef, LeaseTiming } from './leader-election-settings.ts';
import {
  holderOf,
  type Lease,
  type LeaseSpec,
  type ObservedLease,
  observed,
  recordOf,
  releasedRecord,
  runsOutAtMs,
} from './lease-record.ts';
import { keyOfRef } from './object-key.ts';
import type { WriteFence } from './write-fence.ts';

/** A term ended otherwise than by our own will. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

export interface LeaderElectorOptions extends LeaseTiming {
  /** Each call must end after a time that is well below the renew deadline. */
  readonly api: KubeUpdates;
  readonly lease: LeaseRef;
  /** Differs from process to process. */
  readonly identity: string;
  /** Tells the writers whether they may; valid for the renew deadline. */
  readonly fence: WriteFence;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** Told whenever a term begins or ends. */
  readonly onLeading?: ((leading: boolean) => void) | undefined;
}

/** For a person who looks. */
export interface ElectionState {
  /** `NAMESPACE/NAME`. */
  readonly lease: string;
  readonly identity: string;
  readonly leads: boolean;
  /** Who held the lease when it was seen last, and may have left it since; absent: nobody, or it was not seen yet. */
  readonly holder?: string;
}

/** A standby's waits are shortened by up to this share, so that several do not ask together. */
const JITTER = 0.2;

/** One candidate, for one term: once it is over the process ends. */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #lost = new AbortController();
  #observed: ObservedLease | undefined;
  #leading = false;
  #problem: string | undefined;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
  }

  /** What keeps it from ever leading, until somebody grants the rights; undefined: nothing. */
  get problem(): string | undefined {
    return this.#problem;
  }

  state(): ElectionState {
    const { lease, identity } = this.#options;
    const holder = this.#observed && holderOf(this.#observed.lease);
    return { lease: keyOfRef(lease), identity, leads: this.#leading, ...(holder === undefined ? {} : { holder }) };
  }

  /** Waits until this process leads; false when `signal` aborted before. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { lease, identity, clock, log } = this.#options;
    log.info({ lease, identity }, 'Began to wait for the lease');
    while (!signal.aborted) {
      if (await this.#tryToHold(signal)) {
        this.#leading = true;
        log.info({ lease, identity }, 'Became the leader');
        this.#options.onLeading?.(true);
        return true;
      }
      await sleep(clock, this.#untilNextTryMs(), signal).catch(() => undefined);
    }
    return false;
  }

  /** Renews until `signal` aborts. @throws {LeadershipLostError} as soon as the term may be over */
  async hold(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriodMs } = this.#options;
    const lost = this.#lost.signal;
    const stopWatching = this.#watchTerm();
    const either = AbortSignal.any([signal, lost]);
    try {
      while (!lost.aborted) {
        await sleep(clock, retryPeriodMs, either).catch(() => undefined);
        if (signal.aborted) return;
        await this.#tryToHold(lost);
      }
      throw lost.reason;
    } finally {
      stopWatching();
    }
  }

  /** Gives the lease back where it is ours, so that a standby need not wait. Nothing may be written from then on. */
  async release(): Promise<void> {
    const { api, lease: ref, clock, fence, log } = this.#options;
    if (!this.#leading) return;
    const { signal } = this.#lost;
    try {
      const lease = await api.get<Lease>(LEASE, ref, signal);
      if (holderOf(lease) !== this.#options.identity) return;
      await api.update(LEASE, { ...lease, spec: releasedRecord(lease, clock.now()) }, signal);
      log.info({ lease: ref }, 'Gave the lease back');
    } catch (error) {
      log.warn({ err: error, lease: ref }, 'Could not give the lease back, it has to run out');
    } finally {
      fence.close();
      this.#endTerm();
    }
  }

  /** Whether the lease is ours now. */
  async #tryToHold(signal: AbortSignal): Promise<boolean> {
    const { fence, log, lease } = this.#options;
    // Also where this comes late since the process stood still: there is nothing left to renew.
    if (this.#leading && fence.leftMs() === 0) this.#lose('it could not be renewed in time');
    if (this.#lost.signal.aborted) return false;
    try {
      const held = (await this.#renewUnseen()) || (await this.#takeOrRenew(signal));
      this.#problem = undefined;
      return held;
    } catch (error) {
      if (signal.aborted) return false;
      if (isForbidden(error)) this.#problem = `may not read or write ${describeRef(LEASE, lease)}: grant the rights`;
      if (isConflict(error)) log.debug({ err: error, lease }, 'Somebody else wrote the lease first');
      else log.warn({ err: error, lease }, 'Could not take or renew the lease, trying again');
      return false;
    }
  }

  /** A leader knows what the record says, and needs no look at it; false where that was wrong or did not work. */
  async #renewUnseen(): Promise<boolean> {
    if (!this.#leading || this.#observed === undefined) return false;
    try {
      await this.#write(this.#observed.lease);
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      return false;
    }
  }

  async #takeOrRenew(signal: AbortSignal): Promise<boolean> {
    const { api, lease: ref, identity, clock, leaseDurationMs, log } = this.#options;
    let lease: Lease | undefined;
    try {
      lease = await api.get<Lease>(LEASE, ref, AbortSignal.any([signal, this.#lost.signal]));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (lease !== undefined) {
      const before = this.#observed && holderOf(this.#observed.lease);
      this.#observed = observed(this.#observed, lease, clock.elapsedMs());
      const holder = holderOf(lease);
      if (holder !== undefined && holder !== identity) {
        if (holder !== before) log.info({ lease: ref, holder }, 'Saw who leads');
        if (this.#leading) this.#lose(`${holder} has taken it`);
        if (this.#lost.signal.aborted || runsOutAtMs(this.#observed, leaseDurationMs) > clock.elapsedMs()) return false;
      }
    }
    await this.#write(lease);
    return true;
  }

  /** Not cut short by a stop: a lease that was taken unnoticed would have to run out. */
  async #write(lease: Lease | undefined): Promise<void> {
    const { api, lease: ref, identity, clock, fence, leaseDurationMs } = this.#options;
    const sentMs = clock.elapsedMs();
    const spec: LeaseSpec = recordOf(identity, lease, { leaseDurationMs, now: clock.now() });
    const { signal } = this.#lost;
    const written =
      lease === undefined
        ? await api.create<Lease>(LEASE, { metadata: ref, spec }, signal)
        : await api.update<Lease>(LEASE, { ...lease, spec }, signal);
    this.#observed = { lease: written, sinceMs: clock.elapsedMs() };
    fence.renewed(sentMs);
  }

  /** Ends the term when it was not renewed, however the renewal hangs. @returns stops that */
  #watchTerm(): () => void {
    const { clock, fence } = this.#options;
    let cancel = (): void => undefined;
    const look = (): void => {
      const leftMs = fence.leftMs();
      if (leftMs === 0) this.#lose('it could not be renewed in time');
      else cancel = clock.schedule(leftMs, look);
    };
    look();
    return () => cancel();
  }

  #lose(because: string): void {
    if (this.#lost.signal.aborted) return;
    const { lease, fence, log } = this.#options;
    fence.close();
    this.#lost.abort(new LeadershipLostError(`lost the lease ${lease.namespace}/${lease.name}: ${because}`));
    log.error({ lease, because }, 'Lost the lease');
    this.#endTerm();
  }

  #endTerm(): void {
    if (!this.#leading) return;
    this.#leading = false;
    this.#options.onLeading?.(false);
  }

  #untilNextTryMs(): number {
    const { clock, random, retryPeriodMs, leaseDurationMs } = this.#options;
    const waitMs = retryPeriodMs * (1 - JITTER * random());
    if (this.#observed === undefined) return waitMs;
    const leftMs = runsOutAtMs(this.#observed, leaseDurationMs) - clock.elapsedMs();
    return leftMs > 0 ? Math.min(waitMs, Math.ceil(leftMs)) : waitMs;
  }
}
