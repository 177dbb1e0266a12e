import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Registry } from 'prom-client';
import { gatewayMetrics } from '../operator/src/gateway/gateway-metrics.ts';
import { apiMetrics } from '../operator/src/metrics-api/api-metrics.ts';
import { documentedMetrics, exposedMetrics } from './support/exposed-metrics.ts';

describe('docs/operations.md', () => {
  it('lists what the gateway and the metrics API tell of themselves', async () => {
    const registry = new Registry();
    const gateway = gatewayMetrics(registry, () => 0);
    gateway.answered('vision/mnist', 200);
    gateway.held('forwarded', 1);
    apiMetrics(registry).answered('metric', 200, 0.01);
    const documented = (await documentedMetrics()).filter((line) => /^modelservice_(gateway|metrics_api)_/.test(line));
    assert.deepEqual(exposedMetrics(await registry.metrics()), documented);
  });
});
