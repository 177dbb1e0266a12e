import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { ApiError } from './errors.ts';
import { linesOf } from './lines.ts';
import { watchEventsOf } from './watch-stream.ts';

/** Cuts bytes at the given places, wherever in a character those are. */
async function* cut(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, start] of sorted.slice(0, -1).entries()) yield bytes.subarray(start, sorted[index + 1]);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function stream(...lines: readonly string[]): AsyncIterable<Uint8Array> {
  return cut(Buffer.from(lines.map((line) => `${line}\n`).join('')), []);
}

describe('linesOf', () => {
  it('gives the same lines however the bytes are cut', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, places) => {
        const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        assert.deepEqual(await collect(linesOf(cut(bytes, places))), lines);
      }),
    );
  });

  it('leaves out a last line that was cut off', async () => {
    assert.deepEqual(await collect(linesOf(cut(Buffer.from('whole\nha'), []))), ['whole']);
  });

  it('joins a line of 20 MB that comes in small pieces', async () => {
    const bytes = Buffer.alloc(20_000_001, 'x');
    bytes[20_000_000] = 0x0a;
    const places = Array.from({ length: 20_000 }, (_, index) => index * 1000);
    const [line] = await collect(linesOf(cut(bytes, places)));
    assert.equal(line?.length, 20_000_000);
  });
});

describe('watchEventsOf', () => {
  it('reads objects and bookmarks', async () => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'é', resourceVersion: '5' } };
    const bookmark = { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '9', creationTimestamp: null } };
    const events = watchEventsOf(
      stream(JSON.stringify({ type: 'ADDED', object }), JSON.stringify({ type: 'BOOKMARK', object: bookmark })),
      'watch pods',
    );
    assert.deepEqual(await collect(events), [
      { type: 'ADDED', object },
      { type: 'BOOKMARK', resourceVersion: '9' },
    ]);
  });

  it('throws the error that the server tells inside the stream', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
    await assert.rejects(
      collect(watchEventsOf(stream(JSON.stringify({ type: 'ERROR', object: status })), 'watch pods')),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual([error.code, error.reason], [410, 'Expired']);
        assert.equal(error.message, 'Could not watch pods: 410 Expired: too old resource version: 1 (9)');
        return true;
      },
    );
  });

  for (const line of ['{"type":"ADDED","obj', '{"type":"SURPRISE","object":{}}', 'null']) {
    it(`does not pass over ${line}`, async () => {
      await assert.rejects(collect(watchEventsOf(stream(line), 'watch pods')));
    });
  }
});
