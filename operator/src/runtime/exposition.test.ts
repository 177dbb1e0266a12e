import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { familyText, samplesIn } from './exposition.ts';

const wanted = new Set(['load', 'rate']);

describe('exposition', () => {
  it('reads the samples that are wanted, with labels, and passes over all others', () => {
    const text = [
      '# HELP load Not a sample',
      '# TYPE load gauge',
      'load{model="a",version="1"} 2.5',
      'load{model="b \\"quoted\\", \\\\ and \\n",version="2",} 1e-3 1700000000000',
      'load_total 9',
      'rate 7',
      'rate{model="x"} NaN',
      'rate{model="y"} +Inf',
      'rate{model="z"} much',
      'other{load="1"} 3',
      '',
    ].join('\n');
    assert.deepEqual(samplesIn(text, wanted), [
      { metric: 'load', labels: { model: 'a', version: '1' }, value: 2.5 },
      { metric: 'load', labels: { model: 'b "quoted", \\ and \n', version: '2' }, value: 0.001 },
      { metric: 'rate', labels: {}, value: 7 },
    ]);
  });

  it('writes a family that reads as what was told', () => {
    const told = [
      { labels: { model: 'b "quoted", \\ and \n', version: '1' }, value: 2.5 },
      { labels: { model: 'a', version: '2' }, value: 1 },
    ];
    const text = familyText({
      name: 'load',
      help: 'How much.',
      labelNames: ['model', 'version'],
      eachSeries: (tell) => {
        for (const { labels, value } of told) tell(value, labels.model, labels.version);
      },
    });
    assert.deepEqual(text.split('\n').slice(0, 2), ['# HELP load How much.', '# TYPE load gauge']);
    assert.deepEqual(
      samplesIn(text, wanted),
      told.map((sample) => ({ metric: 'load', ...sample })),
    );
  });

  it('finds nothing in what is no exposition', () => {
    assert.deepEqual(samplesIn('<html>load</html>', wanted), []);
  });
});
