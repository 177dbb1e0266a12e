import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { classificationReport } from './classification-report.ts';
import { progressOn } from './progress.ts';
import { seededRandom, shuffledIndices } from './random.ts';

describe('training', () => {
  it('counts what was found of each class', () => {
    const report = classificationReport([0, 1, 1, 0], [0, 1, 0, 0], 2);
    assert.deepEqual(report, { accuracy: 3 / 4, recall: [2 / 3, 1] });
  });

  it('shuffles every index into its place, the same way for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer(), (count, seed) => {
        const order = shuffledIndices(count, seededRandom(seed));
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          [...Array(count).keys()],
        );
        assert.deepEqual(shuffledIndices(count, seededRandom(seed)), order);
      }),
    );
    const draws = Array.from({ length: 1000 }, seededRandom(1));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    assert.ok(Math.abs(mean - 0.5) < 0.05 && draws.every((draw) => draw >= 0 && draw < 1));
  });

  it('draws a bar on a terminal, and writes only whole lines elsewhere', () => {
    const written = (isTTY: boolean) => {
      const parts: string[] = [];
      const progress = progressOn({ isTTY, columns: 80, write: (text) => parts.push(text) });
      progress.update('Epoch 1', 1, 2, 'loss 0.5');
      progress.end('Epoch 1: loss 0.4');
      return parts.join('');
    };
    assert.equal(written(false), 'Epoch 1: loss 0.4\n');
    assert.match(written(true), /Epoch 1 █{15}░{15} loss 0\.5.*Epoch 1: loss 0\.4\n$/s);
  });
});
