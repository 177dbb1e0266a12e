import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { parseQuantity, sameQuantity } from './quantity.ts';

describe('quantities', () => {
  const equal: readonly (readonly [string | number, string | number])[] = [
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['0.5', '500m'],
    [1, '1'],
    ['1e3', '1k'],
    ['1E3', '1k'],
    ['1E', '1000P'],
    ['.5', '0.500'],
    ['2.', '2'],
    ['1.5Gi', '1536Mi'],
    ['100u', '0.0001'],
    ['-1000m', '-1'],
    ['+1', '1'],
    ['0', '0Gi'],
    ['0.1n', '1n'],
  ];
  for (const [a, b] of equal) it(`${a} is ${b}`, () => assert.ok(sameQuantity(a, b)));

  const different: readonly (readonly [unknown, unknown])[] = [
    ['1', '1m'],
    ['1G', '1Gi'],
    ['1', 'one'],
    ['one', 'one'],
    ['1 Gi', '1Gi'],
    ['', '0'],
    [null, '0'],
    ['1KI', '1Ki'],
  ];
  for (const [a, b] of different) it(`${String(a)} is not ${String(b)}`, () => assert.ok(!sameQuantity(a, b)));

  it('rounds up to what is stored', () => {
    assert.ok(sameQuantity('1u', '1m', 'milli'));
    assert.ok(sameQuantity('1000001u', '1001m', 'milli'));
    assert.ok(!sameQuantity('1001u', '1m', 'milli'));
    assert.ok(!sameQuantity('1u', '1m'));
  });

  it('reads a number of thousandths as the same value in every spelling', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), (milli) => {
        const value = parseQuantity(`${milli}m`);
        assert.equal(value, BigInt(milli) * 1_000_000n);
        assert.equal(parseQuantity(`${milli}000u`), value);
        assert.equal(parseQuantity(`${milli}e-3`), value);
      }),
    );
  });
});
