import type { Logger } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import { EVENT } from '../kube/resources.ts';
import type { Intent, KubeObject } from '../kube/types.ts';
import { type Clock, sleep } from './clock.ts';

/** Something that has happened, in words for the owner of an object. */
export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was being done, CamelCase, at most 128 characters. */
  readonly action: string;
  /** Longer ones are cut at 1 kB. */
  readonly note: string;
}

export type RecordEvent = (regarding: KubeObject, draft: EventDraft) => void;

export interface EventRecorderOptions {
  readonly api: Pick<KubeApi, 'apply'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Such as `example.com/operator`. */
  readonly controller: string;
  /** Which process of it; at most 128 characters. */
  readonly instance: string;
}

/** client-go's numbers (tools/events/event_broadcaster.go): waiting events, and after what silence a series is over. */
const LONGEST_QUEUE = 1000;
const SERIES_MS = 6 * 60_000;
/** Of a series that goes on, after the second event. */
const REFRESH_MS = 30 * 60_000;
const MOST_SERIES = 4096;
const MOST_TRIES = 3;
/** At most so many writes at once, and then so many a second. */
const BURST = 50;
const PER_SECOND = 20;
const NOTE_BYTES = 1024;

interface Series {
  readonly intent: Intent;
  count: number;
  lastMs: number;
  writtenMs: number;
}

/**
 * Writes Events (events.k8s.io/v1) as client-go does: equal ones within 6 minutes are one with a count. Nobody waits for
 * it: what cannot be written soon is dropped.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** In the order of their last event. */
  readonly #series = new Map<string, Series>();
  readonly #waiting = new Set<Series>();
  #wake: (() => void) | undefined;
  #made = 0;
  #tokens = BURST;
  #filledMs: number;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#filledMs = options.clock.elapsedMs();
  }

  readonly record: RecordEvent = (regarding, draft) => {
    const nowMs = this.#options.clock.elapsedMs();
    const { uid } = regarding.metadata;
    const key = JSON.stringify([uid, draft.type, draft.reason, draft.action, draft.note]);
    const known = this.#series.get(key);
    this.#series.delete(key);
    const goesOn = known !== undefined && nowMs - known.lastMs <= SERIES_MS;
    const series: Series = goesOn
      ? known
      : { intent: this.#intentOf(regarding, draft), count: 0, lastMs: 0, writtenMs: nowMs };
    series.count++;
    series.lastMs = nowMs;
    this.#series.set(key, series);
    this.#forgetOld(nowMs);
    if (series.count <= 2 || nowMs - series.writtenMs >= REFRESH_MS) this.#enqueue(series);
  };

  /** Writes until `signal` aborts; what waits then is dropped. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        const [series] = this.#waiting;
        if (series === undefined) {
          await this.#enqueued(signal);
          continue;
        }
        const waitMs = this.#takeToken();
        if (waitMs > 0) {
          await sleep(clock, waitMs, signal);
          continue;
        }
        this.#waiting.delete(series);
        await this.#write(series, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #enqueue(series: Series): void {
    if (this.#waiting.size >= LONGEST_QUEUE) return;
    this.#waiting.add(series);
    this.#wake?.();
  }

  #enqueued(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => reject(signal.reason);
      if (signal.aborted) aborted();
      signal.addEventListener('abort', aborted, { once: true });
      this.#wake = () => {
        signal.removeEventListener('abort', aborted);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** How long to wait for one; 0: it is taken. */
  #takeToken(): number {
    const nowMs = this.#options.clock.elapsedMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledMs) * PER_SECOND) / 1000);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / PER_SECOND);
    this.#tokens--;
    return 0;
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { api, clock, log, controller } = this.#options;
    const { count } = series;
    series.writtenMs = clock.elapsedMs();
    const body =
      count === 1 ? series.intent : { ...series.intent, series: { count, lastObservedTime: microTime(clock.now()) } };
    for (let tries = 1; ; tries++) {
      try {
        await api.apply(EVENT, body, { fieldManager: controller }, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        // A refusal, such as that of a namespace that is being deleted, would be repeated.
        if (tries === MOST_TRIES || (error instanceof ApiError && error.code < 500 && error.code !== 429)) {
          log.debug({ err: error }, 'Dropped an Event');
          return;
        }
        await sleep(clock, 1000 * tries, signal);
      }
    }
  }

  #intentOf(regarding: KubeObject, { type, reason, action, note }: EventDraft): Intent {
    const { clock, controller, instance } = this.#options;
    const { name, namespace = 'default', uid } = regarding.metadata;
    const now = clock.now();
    this.#made++;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: EVENT.kind,
      metadata: {
        name: `${name}.${now.toString(16)}${(this.#made % 0x10000).toString(16).padStart(4, '0')}`,
        namespace,
      },
      eventTime: microTime(now),
      type,
      reason,
      action,
      note: cut(note),
      regarding: { apiVersion: regarding.apiVersion, kind: regarding.kind, namespace, name, uid },
      reportingController: controller,
      reportingInstance: instance,
    };
  }

  #forgetOld(nowMs: number): void {
    for (const [key, { lastMs }] of this.#series) {
      if (nowMs - lastMs <= SERIES_MS && this.#series.size <= MOST_SERIES) return;
      this.#series.delete(key);
    }
  }
}

/** RFC 3339 in microseconds, as the field asks for. @param time milliseconds since the epoch */
function microTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}

function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES) return note;
  // No half of a character, and room for the ellipsis, which takes three bytes.
  return `${bytes
    .subarray(0, NOTE_BYTES - 3)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}
