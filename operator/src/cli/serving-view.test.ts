import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { liveOutput } from './live-output.ts';
import { createServingView } from './serving-view.ts';

describe('the command to try', () => {
  for (const { path, word } of [
    { path: 'examples/mnist/request.json', word: '@examples/mnist/request.json' },
    { path: '../my models/request.json', word: "'@../my models/request.json'" },
    { path: "/it's/request.json", word: "'@/it'\\''s/request.json'" },
  ]) {
    it(`can be pasted into a shell with the sample ${path}`, () => {
      let printed = '';
      const out = liveOutput({ write: (text) => (printed += text) });
      const view = createServingView(out, false, () => path);
      view.expect([], [{ name: 'm', uri: 'file:///m' }]);
      const url = 'http://127.0.0.1:8080';
      view.onMessage({ type: 'listening', url, metricsUrl: url });
      view.onMessage({ type: 'model', model: 'm', version: '1', phase: 'Ready' });
      assert.ok(printed.endsWith(`\nTry it:\n  curl -s ${url}/v2/models/m/infer -d ${word}\n`), printed);
    });
  }
});
