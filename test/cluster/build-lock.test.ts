import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { withLock } from './build-lock.ts';

const never = new AbortController().signal;

const unexpected = (holder: number) => assert.fail(`waited for ${holder}`);

describe('withLock', () => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-'));
    file = join(folder, 'build.lock');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lets one at a time work, and says on whom the other waits', async () => {
    const order: string[] = [];
    const began = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const first = withLock(file, never, unexpected, async () => {
      began.resolve();
      await finish.promise;
      order.push('first');
    });
    await began.promise;
    const holders: number[] = [];
    const waits = (holder: number) => {
      holders.push(holder);
      finish.resolve();
    };
    await withLock(file, never, waits, async () => order.push('second'));
    await first;
    assert.deepEqual(order, ['first', 'second']);
    assert.deepEqual(holders, [process.pid]);
  });

  it('takes over from a process that is gone', async () => {
    // The highest process id that Linux gives is 4,194,304.
    await writeFile(file, '4194999');
    assert.equal(await withLock(file, never, unexpected, async () => 'built'), 'built');
  });

  it('is free again after a failure', async () => {
    const failing = withLock(file, never, unexpected, async () => {
      throw new Error('no compiler');
    });
    await assert.rejects(failing, /no compiler/);
    await assert.rejects(access(file));
  });
});
