import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ModelRepository, ServedModel } from '../model/served-model.ts';
import { createTelemetry } from './telemetry.ts';

function model(name: string): ServedModel {
  return { name, version: '1', uri: 'file:///m', phase: 'Loading', loaded: undefined, failure: undefined };
}

function repositoryOf(models: ServedModel[]): ModelRepository {
  return { list: () => models, get: (name) => models.find((candidate) => candidate.name === name) };
}

describe('telemetry', () => {
  it('shows zero in flight from the start, and forgets a model that left once it owes no answer', async () => {
    const models = [model('a')];
    const telemetry = createTelemetry(repositoryOf(models), () => 1_700_000_000);
    const lines = async (): Promise<readonly string[]> =>
      (await telemetry.registry.metrics()).split('\n').filter((line) => /^modelservice_(requests_in|last)/.test(line));
    assert.deepEqual(await lines(), ['modelservice_requests_in_flight{model="a",version="1"} 0']);

    const span = telemetry.requestStarted('a', '1', 'v2');
    models.splice(0, 1, model('b'));
    assert.deepEqual(await lines(), [
      'modelservice_requests_in_flight{model="a",version="1"} 1',
      'modelservice_requests_in_flight{model="b",version="1"} 0',
      'modelservice_last_request_timestamp_seconds{model="a",version="1"} 1700000000',
    ]);

    span.end(200);
    assert.deepEqual(await lines(), ['modelservice_requests_in_flight{model="b",version="1"} 0']);
  });
});
