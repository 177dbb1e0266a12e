import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { terminationJson } from './termination-message.ts';

describe('termination message', () => {
  it('is JSON with the reason, the message and the model', () => {
    const termination = { reason: 'ModelNotFound', message: 'Nothing there', model: 'm' };
    assert.deepEqual(JSON.parse(terminationJson(termination)), termination);
  });

  for (const [title, character] of [
    ['plain', 'x'],
    ['wide', '漢'],
    ['escaped', '\u0001'],
    ['paired', '😀'],
  ] as const) {
    it(`stays whole within 4096 bytes for a long text of ${title} characters`, () => {
      const text = terminationJson({ reason: 'InvalidModel', message: character.repeat(5000) });
      assert.ok(Buffer.byteLength(text) <= 4096, `${Buffer.byteLength(text)} bytes`);
      assert.ok(Buffer.byteLength(text) > 3000, `${Buffer.byteLength(text)} bytes`);
      assert.equal(JSON.parse(text).reason, 'InvalidModel');
    });
  }
});
