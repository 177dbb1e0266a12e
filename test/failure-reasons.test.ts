import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SERVER_REASONS } from '../operator/src/modelservice/status/reasons.ts';
import { FAILURE_REASONS } from '../server-image/src/failures.ts';

// The two halves may not import each other: this holds the one's table to the other's.
describe('The reasons of a failed server', () => {
  it('are all known to the operator, and it knows no other', () => {
    assert.deepEqual([...SERVER_REASONS].toSorted(), Object.keys(FAILURE_REASONS).toSorted());
  });
});
