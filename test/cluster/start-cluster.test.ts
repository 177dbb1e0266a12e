import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClusterProvider } from './providers.ts';
import { NoClusterError, startCluster } from './start-cluster.ts';
import type { TestCluster } from './test-cluster.ts';

const never = new AbortController().signal;

function providerOf(name: string, outcome: 'starts' | 'fails' | { readonly unavailable: string }): ClusterProvider {
  return {
    name,
    unavailable: async () => (typeof outcome === 'string' ? undefined : outcome.unavailable),
    async start() {
      if (outcome === 'fails') throw new Error(`${name} is broken`);
      return { description: name } as TestCluster;
    },
  };
}

describe('startCluster', () => {
  const unavailable = { unavailable: 'not here' };
  for (const { because, providers, chosen, told } of [
    {
      because: 'the first is preferred',
      providers: [providerOf('a', 'starts'), providerOf('b', 'starts')],
      chosen: 'a',
      told: [],
    },
    {
      because: 'one that is not there is passed over in silence',
      providers: [providerOf('a', unavailable), providerOf('b', 'starts')],
      chosen: 'b',
      told: [],
    },
    {
      because: 'one that does not start says so, and the next is tried',
      providers: [providerOf('a', 'fails'), providerOf('b', 'starts')],
      chosen: 'b',
      told: ['No cluster from a: a is broken'],
    },
  ]) {
    it(because, async () => {
      const lines: string[] = [];
      const cluster = await startCluster(providers, never, (line) => lines.push(line));
      assert.equal(cluster.description, chosen);
      assert.deepEqual(lines, told);
    });
  }

  it('says in one sentence what to install when none is left', async () => {
    const providers = [providerOf('a', 'fails'), providerOf('b', unavailable)];
    await assert.rejects(
      startCluster(providers, never, () => {}),
      (error) =>
        error instanceof NoClusterError &&
        /install Docker or Go .* \(tried a: did not start; b: not here\)\.$/.test(error.message) &&
        !error.message.includes('\n'),
    );
  });

  it('tries no other provider once it is aborted', async () => {
    const abort = new AbortController();
    const provider: ClusterProvider = {
      name: 'a',
      unavailable: async () => undefined,
      async start() {
        abort.abort(new Error('stopped by hand'));
        throw new Error('interrupted');
      },
    };
    const providers = [provider, providerOf('b', 'starts')];
    await assert.rejects(
      startCluster(providers, abort.signal, () => {}),
      /stopped by hand/,
    );
  });
});
