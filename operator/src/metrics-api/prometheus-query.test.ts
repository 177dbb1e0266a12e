import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { expressionFor, readingsIn, type Vector } from './prometheus-query.ts';

const METRIC = 'modelservice_in_flight_avg15s';
const NOW = 1_800_000_000;

/** One series: what it said, and how long before the evaluation. */
function series(pod: string, value: string, ageSeconds: number, labels: Record<string, string> = {}): Vector {
  const all = { namespace: 'n', pod, ...labels };
  return [
    { metric: { ...all, __name__: METRIC, modelservice_part: 'value' }, value: [NOW, value] },
    { metric: { ...all, modelservice_part: 'at' }, value: [NOW, String(NOW - ageSeconds)] },
  ];
}

const totals = (vector: Vector): unknown =>
  Object.fromEntries(
    [...readingsIn(vector, METRIC, 90_000)].map(([pod, { samples }]) => [
      pod,
      samples.reduce((sum, { value }) => sum + value, 0),
    ]),
  );

describe('the question to Prometheus', () => {
  it('is one, for all pods, their values and when they were scraped', () => {
    const pods = `${METRIC}{namespace="n",pod=~"a|b"}`;
    assert.equal(
      expressionFor(METRIC, 'n', ['b', 'a']),
      `label_replace(${pods},"modelservice_part","value","pod",".*") or label_replace(timestamp(${pods}),"modelservice_part","at","pod",".*")`,
    );
  });

  for (const { title, namespace, pod, selected } of [
    { title: 'a dot', namespace: 'n', pod: 'a.b', selected: '{namespace="n",pod=~"a\\\\.b"}' },
    {
      title: 'any pattern',
      namespace: 'n',
      pod: '.*|(x)',
      selected: '{namespace="n",pod=~"\\\\.\\\\*\\\\|\\\\(x\\\\)"}',
    },
    {
      title: 'a quote',
      namespace: 'n"} or vector(9',
      pod: 'a"',
      selected: '{namespace="n\\"} or vector(9",pod=~"a\\""}',
    },
    { title: 'a backslash', namespace: 'n\\', pod: 'a\\"', selected: '{namespace="n\\\\",pod=~"a\\\\\\\\\\""}' },
  ]) {
    it(`takes ${title} as it is`, () => {
      const expression = expressionFor(METRIC, namespace, [pod]);
      assert.ok(expression.startsWith(`label_replace(${METRIC}${selected},`), expression);
    });
  }
});

describe('the answer of Prometheus', () => {
  it('tells each pod with the moment of its scrape, and leaves out what is old', () => {
    const readings = readingsIn(
      [...series('a', '3', 10.5), ...series('old', '4', 91), ...series('b', '0', 90)],
      METRIC,
      90_000,
    );
    assert.deepEqual([...readings.keys()], ['a', 'b']);
    assert.equal(readings.get('a')?.at, (NOW - 10.5) * 1000);
    assert.equal(readings.get('b')?.samples[0]?.value, 0);
  });

  it('leaves out what is no number, or without a moment', () => {
    const [value] = series('lost', '3', 1);
    assert.deepEqual(totals([...series('a', 'NaN', 1), ...series('b', '+Inf', 1), ...(value ? [value] : [])]), {});
  });

  it('adds the models of a pod, and tells the older moment', () => {
    const vector = [...series('a', '3', 1, { model: 'x' }), ...series('a', '2', 5, { model: 'y' })];
    assert.deepEqual(totals(vector), { a: 5 });
    assert.equal(readingsIn(vector, METRIC, 90_000).get('a')?.at, (NOW - 5) * 1000);
  });

  it('takes the freshest of what two scrape jobs or two Prometheus servers tell of one pod', () => {
    const own = { model: 'x', version: '1' };
    const vector = [
      ...series('a', '3', 20, { ...own, job: 'pods' }),
      ...series('a', '4', 2, { ...own, job: 'monitor', prometheus_replica: 'b' }),
      ...series('a', '5', 12, { ...own, job: 'monitor', prometheus_replica: 'a' }),
    ];
    assert.deepEqual(totals(vector), { a: 4 });
  });
});
