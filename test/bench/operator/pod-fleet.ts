import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PodOrder } from './fake-pods.ts';

/** The benchmark's pods, in a process of their own. */
export interface PodFleet extends Disposable {
  /** Resolves once a pod listens at each of these addresses. */
  serve(addresses: readonly string[], port: number, hung?: boolean): Promise<void>;
}

export function startPodFleet(): PodFleet {
  const child = fork(fileURLToPath(new URL('fake-pods.ts', import.meta.url)), [], { execArgv: [] });
  let last = 0;
  return {
    async serve(addresses, port, hung = false) {
      const id = ++last;
      child.send({ id, addresses, port, hung } satisfies PodOrder);
      for (;;) {
        const [answer] = (await once(child, 'message')) as [{ readonly id: number }];
        if (answer.id === id) return;
      }
    },
    [Symbol.dispose]: () => {
      child.kill();
    },
  };
}
