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

  it('dates the last request by its answer, so that a long one is no idle time', async () => {
    let now = 1000;
    const telemetry = createTelemetry(repositoryOf([model('a')]), () => now);
    const span = telemetry.requestStarted('a', '1', 'v2');
    now = 1600;
    span.end(200);
    const text = await telemetry.registry.metrics();
    assert.match(text, /^modelservice_last_request_timestamp_seconds\{model="a",version="1"\} 1600$/m);
  });

  it('names the metric of the last request before the first', async () => {
    const text = await createTelemetry(repositoryOf([model('a')]), () => 0).registry.metrics();
    assert.match(text, /^# TYPE modelservice_last_request_timestamp_seconds gauge$/m);
  });

  it('shows the means of the last 15 s, for scaling', async () => {
    let nowMs = 50_000;
    const telemetry = createTelemetry(
      repositoryOf([model('a')]),
      () => 0,
      () => nowMs,
    );
    const values = async (): Promise<Readonly<Record<string, number>>> => {
      const lines = (await telemetry.registry.metrics()).split('\n');
      return Object.fromEntries(
        lines
          .map((line) => /^modelservice_(\w+)_avg15s\{model="a",version="1"\} (.*)$/.exec(line))
          .filter((match) => match !== null)
          .map(([, name = '', value]) => [name, Number(value)]),
      );
    };
    assert.deepEqual(await values(), { queued: 0, in_flight: 0, requests_per_second: 0 });

    const spans = [1, 2, 3].map(() => telemetry.requestStarted('a', '1', 'v2'));
    nowMs += 5000;
    assert.deepEqual(await values(), { queued: 0, in_flight: 1, requests_per_second: 0.2 });
    for (const span of spans) span.end(200);
    nowMs += 5000;
    assert.deepEqual(await values(), { queued: 0, in_flight: 1, requests_per_second: 0.2 });
    nowMs += 10_250;
    assert.deepEqual(await values(), { queued: 0, in_flight: 0, requests_per_second: 0 });
  });
});
