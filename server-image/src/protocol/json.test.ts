import assert from 'node:assert/strict';
import { memoryUsage } from 'node:process';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { InvalidRequest } from './invalid-request.ts';
import { parseJson } from './json.ts';

describe('parseJson', () => {
  const mistakes = [
    { text: '{"data":[NaN]}', says: 'unexpected "NaN" at line 1, column 10 (position 9)' },
    { text: '{"a":\n  1,}', says: 'unexpected "}" at line 2, column 5 (position 10)' },
    { text: '[,1]', says: 'unexpected "," at line 1, column 2 (position 1)' },
    { text: '[1 2]', says: 'unexpected "2" at line 1, column 4 (position 3)' },
    { text: "{'a':1}", says: 'unexpected "\'" at line 1, column 2 (position 1)' },
    { text: '{"a":1', says: 'the text ends at line 1, column 7 (position 6)' },
    { text: '{"a":}', says: 'unexpected "}" at line 1, column 6 (position 5)' },
    { text: '[1]]', says: 'unexpected "]" at line 1, column 4 (position 3)' },
    { text: '[1}', says: 'unexpected "}" at line 1, column 3 (position 2)' },
    { text: '{"a" 1}', says: 'unexpected "1" at line 1, column 6 (position 5)' },
    { text: 'inputs=1', says: 'unexpected "inputs" at line 1, column 1 (position 0)' },
    { text: '[Infinity, 1]', says: 'unexpected "Infinity" at line 1, column 2 (position 1)' },
  ];
  for (const { text, says } of mistakes) {
    it(`names the place of the mistake in ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseJson(text), new InvalidRequest('body', `is not valid JSON: ${says}`));
    });
  }

  it('says that an empty body is empty', () => {
    assert.throws(() => parseJson(' \n'), new InvalidRequest('body', 'is empty, but JSON is needed'));
  });

  it('names the place of the first character that no JSON can have there, wherever it is put', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, seed) => {
        const text = JSON.stringify([value]);
        const position = seed % text.length;
        const broken = `${text.slice(0, position)}\u0001${text.slice(position)}`;
        assert.throws(
          () => parseJson(broken),
          /is not valid JSON: unexpected .* at line 1, column \d+ \(position \d+\)/s,
        );
      }),
    );
  });

  it('names the line and column of a mistake behind very many lines without holding each of them', () => {
    const before = memoryUsage().heapUsed;
    assert.throws(() => parseJson(`${'\n'.repeat(8_000_000)}{x`), / at line 8000001, column 2 \(position 8000001\)/);
    assert.ok(memoryUsage().heapUsed - before < 32e6, 'an array of the lines has 64 MB');
  });

  it('refuses a long text with a mistake without searching all of it', () => {
    const text = `[${'1,'.repeat(1 << 20)}x]`;
    assert.throws(() => parseJson(text), /^InvalidRequest: body: is not valid JSON: Unexpected token 'x'/);
  });
});
