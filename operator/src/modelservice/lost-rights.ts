import type { Clock } from '../runtime/clock.ts';

/** How long a namespace is left alone in which we may not write. */
const PAUSE_MS = 10_000;

/**
 * Namespaces in which we may not even write a status. With Roles that is each namespace that is being deleted, once its
 * RoleBinding is gone, while every child that goes asks for a reconcile: these have to cost nothing.
 */
export class LostRights {
  readonly #clock: Clock;
  /** When to try again, by namespace. */
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long `namespace` is to be left alone; 0: not at all. */
  waitMs(namespace: string): number {
    const untilMs = this.#untilMs.get(namespace);
    if (untilMs === undefined) return 0;
    const leftMs = untilMs - this.#clock.elapsedMs();
    if (leftMs <= 0) this.#untilMs.delete(namespace);
    return Math.max(0, leftMs);
  }

  /** A write was forbidden there. @returns whether that is new */
  note(namespace: string): boolean {
    const isNew = this.waitMs(namespace) === 0;
    if (isNew) this.#untilMs.set(namespace, this.#clock.elapsedMs() + PAUSE_MS);
    return isNew;
  }
}
