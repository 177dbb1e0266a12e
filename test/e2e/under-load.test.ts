import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { applyManifest, modelService } from '../integration/support/manifests.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { useInstalledChart } from './support/installed-chart.ts';
import { clusterUrl, conditionOf, getModelService, podsOf, untilGone, untilServing } from './support/observed.ts';
import { type SteadyLoad, startSteadyLoad } from './support/steady-load.ts';

const WRONG_DIGEST = `sha256:${'0'.repeat(64)}`;
/** Before and after each interruption, so that it falls into steady load. */
const REQUESTS_AROUND = 300;

describe('a service of two pods under steady load', () => {
  useInstalledChart();
  const namespace = useNamespace('load');
  const digits = () => ({ namespace: namespace(), name: 'digits' });
  const apply = (spec: Readonly<Record<string, unknown>> = {}) =>
    applyManifest(namespace(), modelService('digits', { scaling: { minReplicas: 2 }, ...spec }));
  let load: SteadyLoad | undefined;

  before(async () => {
    await apply();
    await untilServing(digits());
  });

  beforeEach(async () => {
    load = startSteadyLoad(await clusterUrl(digits()), 'digits');
    await moreAnswers();
  });

  afterEach('no request was lost', async function () {
    await moreAnswers();
    const outcome = await load?.stop();
    load = undefined;
    console.log(
      `      ${outcome?.answered} requests answered, ${outcome?.failures.length} lost: ${this.currentTest?.title}`,
    );
    assert.deepEqual(outcome?.failures, []);
  });

  it('takes another environment, pod by pod', async () => {
    const before = await podNames();
    await apply({ server: { env: [{ name: 'ROUND', value: '2' }] } });
    await untilServing(digits());
    await untilGone(digits(), before);
    assert.equal((await podNames()).size, 2);
  });

  it('keeps its pods when the model is not what its digest says, and tells so', async () => {
    const before = await podNames();
    const round = { server: { env: [{ name: 'ROUND', value: '2' }] } };
    await apply({ ...round, model: { uri: 'file:///examples/mnist/model', digest: WRONG_DIGEST } });
    const service = await eventually(() => getModelService(digits()), {
      because: 'the ModelService tells of the digest',
      until: ({ status }) => status?.conditions?.some(({ reason }) => reason === 'DigestMismatch') ?? false,
    });
    assert.equal(conditionOf(service, 'Ready')?.status, 'True');
    const serving = (await podsOf(digits())).filter(({ metadata }) => before.has(metadata.name));
    assert.equal(serving.length, 2);

    const failing = new Set([...(await podNames())].filter((name) => !before.has(name)));
    await apply(round);
    await untilServing(digits());
    await untilGone(digits(), failing);
    assert.deepEqual(await podNames(), before, 'the pods from before serve on');
  });

  it('answers on while a pod is deleted, whose requests under way are answered', async () => {
    const [name = ''] = await podNames();
    const log = kubectl(['logs', '--namespace', namespace(), '--follow', '--tail=1', name]);
    await kubectl(['delete', 'pod', name, '--namespace', namespace()]);
    const lines = (await log).trim().split('\n');
    assert.match(lines.at(-1) ?? '', /"Drained"/);
    await untilServing(digits());
  });

  async function podNames(): Promise<Set<string>> {
    return new Set((await podsOf(digits())).map(({ metadata }) => metadata.name));
  }

  async function moreAnswers(): Promise<void> {
    const goal = (load?.answered() ?? 0) + REQUESTS_AROUND;
    await eventually(() => load?.answered() ?? 0, {
      because: 'the load is answered',
      until: (answered) => answered >= goal,
      deadlineMs: 60_000,
    });
  }
});
