import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Condition } from '../types.generated.ts';
import { eventsOf } from './events.ts';

/** `Ready False OOMKilled` and so on. */
function conditions(...texts: readonly string[]): readonly Condition[] {
  return texts.map((text) => {
    const [type = '', status, reason = ''] = text.split(' ');
    return { type, status: status as Condition['status'], reason, message: `m:${reason}`, lastTransitionTime: '' };
  });
}

const cases: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
  ['nothing at a service’s ordinary start', [], ['Ready False PodsStarting', 'Stalled False NotStalled'], []],
  ['nothing at its end', ['Ready False PodsStarting'], ['Ready True Serving'], []],
  ['nothing where nothing changed', ['Ready False OOMKilled'], ['Ready False OOMKilled'], []],
  [
    'a failure once, though two conditions tell it',
    ['Ready False PodsStarting'],
    ['Ready False OOMKilled', 'Stalled True OOMKilled'],
    ['Warning OOMKilled Serve'],
  ],
  ['that it is over', ['Ready False OOMKilled'], ['Ready True Serving'], ['Normal Serving Serve']],
  [
    'a rollout',
    ['Ready True Serving'],
    ['Ready True RolloutInProgress', 'Reconciling True RolloutInProgress'],
    ['Normal RolloutInProgress Serve'],
  ],
  [
    'why a rollout does not get on',
    ['Ready True RolloutInProgress', 'Reconciling True RolloutInProgress'],
    ['Ready True RolloutInProgress', 'Reconciling True ImageNotFound'],
    ['Warning ImageNotFound RollOut'],
  ],
  [
    'that it was given up',
    ['Ready True RolloutInProgress'],
    ['Ready True OldRevisionServing', 'Stalled True ImageNotFound'],
    ['Warning OldRevisionServing Serve', 'Warning ImageNotFound CarryOut'],
  ],
  ['that somebody suspended it', ['Ready True Serving'], ['Ready False Suspended'], ['Normal Suspended Serve']],
  ['that metrics are missing', [], ['AutoscalingActive False MetricsMissing'], ['Warning MetricsMissing Scale']],
  [
    'that metrics are back',
    ['AutoscalingActive False MetricsMissing'],
    ['AutoscalingActive True MetricsRead'],
    ['Normal MetricsRead Scale'],
  ],
  [
    'nothing of a limit that load comes to and leaves',
    ['AutoscalingActive True MetricsRead'],
    ['AutoscalingActive True LimitedByMaxReplicas'],
    [],
  ],
  ['foreign changes', ['Drifted False AsApplied'], ['Drifted True ForeignChanges'], ['Warning ForeignChanges Apply']],
];

describe('eventsOf', () => {
  for (const [title, before, after, expected] of cases) {
    it(`tells ${title}`, () => {
      const events = eventsOf(conditions(...before), conditions(...after));
      assert.deepEqual(
        events.map(({ type, reason, action }) => `${type} ${reason} ${action}`),
        expected,
      );
      for (const { note, reason } of events) assert.equal(note, `m:${reason}`);
    });
  }
});
