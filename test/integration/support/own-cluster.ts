import { after, before } from 'mocha';
import { installCustomResource } from './custom-resources.ts';
import { beginInnerTestRun, testRun } from './test-run.ts';

/**
 * Gives the suite that calls it a cluster of its own whose parts it may kill, from `before` to `after`: everything that
 * asks for the cluster gets this one meanwhile. To be called before what uses it; skipped where nobody can kill parts.
 */
export function useClusterOfItsOwn(): void {
  let end: (() => Promise<void>) | undefined;
  before('start a cluster of its own', async function () {
    this.timeout(180_000);
    if (testRun().cluster.components === undefined) {
      console.log('The parts of such a cluster cannot be killed: what needs that is skipped.');
      this.skip();
    }
    end = await beginInnerTestRun(new AbortController().signal, (line) => console.log(line));
    await installCustomResource(testRun().api);
  });
  after('stop the cluster', () => end?.());
}
