import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { MNIST_DIGIT, predictDigit } from './mnist.ts';

export interface LoadOutcome {
  readonly answered: number;
  /** One line for each request that was not answered, or not with the right digit. */
  readonly failures: readonly string[];
}

export interface SteadyLoad {
  /** How many requests were answered so far. */
  answered(): number;
  /** Resolves once the last request is answered; may be called twice. */
  stop(): Promise<LoadOutcome>;
}

export interface LoadShape {
  /** How many ask at the same time. Default: 8. */
  readonly clients?: number;
  /** From one request of a client to its next, in milliseconds. Default: 50, with which 8 make about 160 a second. */
  readonly pauseMs?: number;
}

/**
 * Asks for the same prediction over and over. Half of the clients keep their connection, as a service mesh does; half
 * open one for each request, as a script does. Nothing is tried twice.
 *
 * @param url of the service, for example `http://10.96.0.7`
 */
export function startSteadyLoad(
  url: string,
  model: string,
  { clients: count = 8, pauseMs = 50 }: LoadShape = {},
): SteadyLoad {
  const keeping = new Agent();
  const opening = new Agent({ pipelining: 0 });
  const stopped = new AbortController();
  const failures: string[] = [];
  let answered = 0;
  const client = async (dispatcher: Agent): Promise<void> => {
    while (!stopped.signal.aborted) {
      const pause = delay(pauseMs);
      try {
        const digit = await predictDigit(url, model, { dispatcher });
        if (digit === MNIST_DIGIT) answered += 1;
        else failures.push(`saw a ${digit}`);
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${dispatcher === keeping ? 'kept' : 'new'} connection: ${error}`);
      }
      await pause;
    }
  };
  const clients = Array.from({ length: count }, (_, index) => client(index % 2 === 0 ? keeping : opening));
  const finish = async (): Promise<LoadOutcome> => {
    stopped.abort();
    await Promise.all(clients);
    await Promise.all([keeping.close(), opening.close()]);
    return { answered, failures };
  };
  let outcome: Promise<LoadOutcome> | undefined;
  return {
    answered: () => answered,
    stop() {
      outcome ??= finish();
      return outcome;
    },
  };
}
