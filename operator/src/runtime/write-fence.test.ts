import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from './fake-clock.ts';
import { NotLeadingError, WriteFence } from './write-fence.ts';

describe('WriteFence', () => {
  it('lets writes pass for so long after a renewal was begun, by a clock that never jumps', async () => {
    const clock = new FakeClock();
    const fence = new WriteFence(clock, 10_000);
    assert.throws(fence.check, NotLeadingError);
    fence.checkLease();

    fence.renewed(clock.elapsedMs() - 1000);
    clock.jump(-86_400_000);
    await clock.advance(8999);
    fence.check();
    assert.equal(fence.leftMs(), 1);
    clock.jump(2 * 86_400_000);
    fence.check();
    await clock.advance(1);
    assert.throws(fence.check, NotLeadingError);
    assert.throws(fence.checkLease, NotLeadingError);
  });

  it('is closed for good', () => {
    const clock = new FakeClock();
    const fence = new WriteFence(clock, 10_000);
    fence.renewed(clock.elapsedMs());
    fence.close();
    fence.renewed(clock.elapsedMs());
    assert.throws(fence.check, NotLeadingError);
    assert.throws(fence.checkLease, NotLeadingError);
  });
});
