import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { eventually } from '../../integration/support/eventually.ts';
import { ANSWER_IN_TIME, MNIST_DIGIT, predict, requestBody } from './mnist.ts';

export interface LoadOutcome {
  readonly answered: number;
  /** One line for each request that was not answered, or not with the right digit. */
  readonly failures: readonly string[];
}

export interface SteadyLoad {
  /** What became of the requests so far. */
  sofar(): LoadOutcome;
  /** How many requests each version of the model answered so far. */
  answeredBy(version: string): number;
  /** Waits until so many more are answered. */
  more(requests: number): Promise<void>;
  /** Resolves once the last request is answered; may be called twice. */
  stop(): Promise<LoadOutcome>;
}

export interface LoadShape {
  /** How many ask at the same time. Default: 8. */
  readonly clients?: number;
  /** From one request of a client to its next, in milliseconds. Default: 50, with which 8 make about 160 a second. */
  readonly pauseMs?: number;
  /** How many digits one request shows; the time that the server takes goes with it. Default: 1. */
  readonly rows?: number;
}

/** Every fourth client opens a connection for each request, as a script does; the others keep theirs, as a proxy does. */
const OPENING_SHARE = 4;

/**
 * Asks for the same prediction over and over. Nothing is tried twice.
 *
 * @param url of the service, for example `http://10.96.0.7`
 */
export function startSteadyLoad(
  url: string,
  model: string,
  { clients: count = 8, pauseMs = 50, rows = 1 }: LoadShape = {},
): SteadyLoad {
  const body = requestBody(rows);
  const keeping = new Agent(ANSWER_IN_TIME);
  const opening = new Agent({ ...ANSWER_IN_TIME, pipelining: 0 });
  const stopped = new AbortController();
  const failures: string[] = [];
  const versions = new Map<string, number>();
  let answered = 0;
  const client = async (dispatcher: Agent): Promise<void> => {
    while (!stopped.signal.aborted) {
      const pause = delay(pauseMs);
      try {
        const { digit, version } = await predict(url, model, { dispatcher, body });
        versions.set(version, (versions.get(version) ?? 0) + 1);
        if (digit === MNIST_DIGIT) answered += 1;
        else failures.push(`saw a ${digit}`);
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${dispatcher === keeping ? 'kept' : 'new'} connection: ${error}`);
      }
      await pause;
    }
  };
  const clients = Array.from({ length: count }, (_, index) => client(index % OPENING_SHARE === 1 ? opening : keeping));
  const finish = async (): Promise<LoadOutcome> => {
    stopped.abort();
    await Promise.all(clients);
    await Promise.all([keeping.close(), opening.close()]);
    return { answered, failures };
  };
  let outcome: Promise<LoadOutcome> | undefined;
  return {
    sofar: () => ({ answered, failures: [...failures] }),
    answeredBy: (version) => versions.get(version) ?? 0,
    async more(requests) {
      const goal = answered + requests;
      await eventually(() => answered, {
        because: `${requests} more requests are answered`,
        until: (reached) => reached >= goal,
        deadlineMs: 60_000 + requests * SLOWEST_MS,
      });
    },
    stop() {
      outcome ??= finish();
      return outcome;
    },
  };
}

/** For each request, on a machine that has much else to do. */
const SLOWEST_MS = 20;
