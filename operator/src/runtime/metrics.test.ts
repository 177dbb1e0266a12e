import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from './fake-clock.ts';
import { OperatorMetrics } from './metrics.ts';
import { WorkQueue } from './work-queue.ts';

/** The lines of one metric, in Prometheus' text form. */
async function lines(metrics: OperatorMetrics, prefix: string): Promise<readonly string[]> {
  const { text } = await metrics.exposition();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

describe('OperatorMetrics', () => {
  it("has controller-runtime's names, at 0 before anything happened", async () => {
    const metrics = new OperatorMetrics();
    metrics.forController('test', 8);
    const queue = new WorkQueue({ clock: new FakeClock() });
    metrics.forWorkQueue('test', () => queue);
    const { text } = await metrics.exposition();
    const own = text.split('\n').filter((line) => /^(controller_runtime|workqueue)_.*\S \S+$/.test(line));
    const found = own.filter((line) => !line.includes('_bucket'));
    assert.deepEqual(found, [
      'controller_runtime_reconcile_total{controller="test",result="success"} 0',
      'controller_runtime_reconcile_total{controller="test",result="error"} 0',
      'controller_runtime_reconcile_total{controller="test",result="requeue"} 0',
      'controller_runtime_reconcile_total{controller="test",result="requeue_after"} 0',
      'controller_runtime_reconcile_errors_total{controller="test"} 0',
      'controller_runtime_terminal_reconcile_errors_total{controller="test"} 0',
      'controller_runtime_reconcile_panics_total{controller="test"} 0',
      'controller_runtime_reconcile_timeouts_total{controller="test"} 0',
      'controller_runtime_reconcile_time_seconds_sum{controller="test"} 0',
      'controller_runtime_reconcile_time_seconds_count{controller="test"} 0',
      'controller_runtime_max_concurrent_reconciles{controller="test"} 8',
      'controller_runtime_active_workers{controller="test"} 0',
      'workqueue_depth{name="test",controller="test"} 0',
      'workqueue_adds_total{name="test",controller="test"} 0',
      'workqueue_retries_total{name="test",controller="test"} 0',
      'workqueue_queue_duration_seconds_sum{name="test",controller="test"} 0',
      'workqueue_queue_duration_seconds_count{name="test",controller="test"} 0',
      'workqueue_work_duration_seconds_sum{name="test",controller="test"} 0',
      'workqueue_work_duration_seconds_count{name="test",controller="test"} 0',
      'workqueue_unfinished_work_seconds{name="test",controller="test"} 0',
      'workqueue_longest_running_processor_seconds{name="test",controller="test"} 0',
    ]);
  });

  it('tells how long work has waited and been going on', async () => {
    const metrics = new OperatorMetrics();
    const clock = new FakeClock();
    const queue: WorkQueue = new WorkQueue({ clock, metrics: metrics.forWorkQueue('test', () => queue) });
    queue.add('a');
    queue.add('b');
    await clock.advance(2000);
    await queue.get();
    await clock.advance(3000);
    await queue.get();
    await clock.advance(1000);
    const value = async (name: string) =>
      (await lines(metrics, `workqueue_${name}{`)).map((line) => line.split(' ')[1]);
    assert.deepEqual(await value('unfinished_work_seconds'), ['5']);
    assert.deepEqual(await value('longest_running_processor_seconds'), ['4']);
    assert.deepEqual(await value('queue_duration_seconds_sum'), ['7']);
    queue.done('a');
    assert.deepEqual(await value('unfinished_work_seconds'), ['1']);
    assert.deepEqual(await value('work_duration_seconds_sum'), ['4']);
  });

  it('keeps the kinds of two reflectors apart', async () => {
    const metrics = new OperatorMetrics();
    metrics.forReflector('Pod').watched(false);
    metrics.forReflector('Service').listed(true);
    assert.deepEqual(await lines(metrics, 'watch_operations_failed_total{'), [
      'watch_operations_failed_total{kind="Pod"} 1',
      'watch_operations_failed_total{kind="Service"} 0',
    ]);
  });
});
