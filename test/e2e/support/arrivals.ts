import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { eventually } from '../../integration/support/eventually.ts';
import { MNIST_DIGIT, predict } from './mnist.ts';

/** A request that got no right answer. */
export interface LostRequest {
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** Milliseconds since the epoch, when it was known to be lost, which may be long after the fault that it met. */
  readonly at: number;
  /** Of the connection, such as ECONNREFUSED; else the error's own words. */
  readonly what: string;
}

/** Requests that come whether others were answered or not, as those of many people do; each on a connection of its own. */
export interface Arrivals {
  answered(): number;
  lost(): readonly LostRequest[];
  /** Waits until so many more are answered. */
  more(requests: number): Promise<void>;
  /** Resolves once it is known of each request sent so far whether it was answered or lost. */
  settled(): Promise<void>;
  /** Resolves once the last request is answered; may be called twice. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
/** Longer than anything that a test does to a pod. */
const PATIENCE_MS = 120_000;

/** @param url of the service, for example `http://10.96.0.7` */
export function startArrivals(url: string, model: string, perSecond: number): Arrivals {
  const dispatcher = new Agent({
    pipelining: 0,
    connect: { timeout: PATIENCE_MS },
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  });
  const stopped = new AbortController();
  const lost: LostRequest[] = [];
  const waiting = new Set<Promise<void>>();
  let answered = 0;
  const ask = async (): Promise<void> => {
    const sentAt = Date.now();
    try {
      const { digit } = await predict(url, model, { dispatcher });
      if (digit === MNIST_DIGIT) answered += 1;
      else lost.push({ sentAt, at: Date.now(), what: `saw a ${digit}` });
    } catch (error) {
      const { code = String(error) } = error as { readonly code?: string };
      lost.push({ sentAt, at: Date.now(), what: code });
    }
  };
  const arrive = async (): Promise<void> => {
    const begin = performance.now();
    for (let asked = 0; !stopped.signal.aborted; ) {
      const due = ((performance.now() - begin) / 1000) * perSecond;
      for (; asked < due; asked++) {
        const request: Promise<void> = ask().finally(() => waiting.delete(request));
        waiting.add(request);
      }
      await delay(TICK_MS);
    }
  };
  const arriving = arrive();
  const finish = async (): Promise<void> => {
    stopped.abort();
    await arriving;
    await Promise.all(waiting);
    await dispatcher.close();
  };
  let end: Promise<void> | undefined;
  return {
    answered: () => answered,
    lost: () => [...lost],
    async more(requests) {
      const goal = answered + requests;
      await eventually(() => answered, {
        because: `${requests} more requests are answered`,
        until: (reached) => reached >= goal,
        deadlineMs: PATIENCE_MS,
      });
    },
    async settled() {
      await Promise.all(waiting);
    },
    stop() {
      end ??= finish();
      return end;
    },
  };
}
