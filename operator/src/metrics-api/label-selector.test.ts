import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { matches, onlyValueOf, parseSelector, SelectorError } from './label-selector.ts';

const labels = { app: 'web', 'modelservice.dev/name': 'digits', empty: '' };

describe('label selector', () => {
  for (const [selector, expected] of [
    ['', true],
    ['app=web', true],
    ['app == web', true],
    ['app=web,modelservice.dev/name=digits', true],
    ['app=web,modelservice.dev/name=other', false],
    ['app!=api', true],
    ['app!=web', false],
    ['missing!=x', true],
    ['app in (api,web)', true],
    ['app in (api, web),empty', true],
    ['app in (api)', false],
    ['missing in (x)', false],
    ['app notin (web,api)', false],
    ['missing notin (web)', true],
    ['empty', true],
    ['empty=', true],
    ['!missing', true],
    ['!app', false],
    ['toString', false],
  ] as const) {
    it(`"${selector}" ${expected ? 'selects' : 'does not select'} the labels`, () => {
      assert.equal(matches(parseSelector(selector), labels), expected);
    });
  }

  for (const text of ['a===b', 'a=b,', '=b', 'a in b', 'a in (b', 'a>1', 'a b', '-a=b', 'a=b c']) {
    it(`refuses "${text}" and says what a requirement looks like`, () => {
      assert.throws(
        () => parseSelector(text),
        (error) => error instanceof SelectorError && /write KEY=VALUE/.test(error.message),
      );
    });
  }

  it('tells the one value that a label has to have', () => {
    assert.equal(onlyValueOf(parseSelector('x,app=web'), 'app'), 'web');
    assert.equal(onlyValueOf(parseSelector('app in (web)'), 'app'), 'web');
    assert.equal(onlyValueOf(parseSelector('app in (web,api)'), 'app'), undefined);
    assert.equal(onlyValueOf(parseSelector('app!=web'), 'app'), undefined);
  });
});
