import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventually } from './support/eventually.ts';
import { startTelemetry } from './support/metrics-pods.ts';
import { needsPrometheus, startPrometheus } from './support/prometheus.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';

describe('a Prometheus for tests', function () {
  this.timeout(120_000);
  needsPrometheus();

  it('scrapes, evaluates rules, and keeps what it knows when it is stopped and started', async () => {
    await using backend = await startTelemetry();
    await using prometheus = await startPrometheus({
      scrapeConfigs: [{ job_name: 'pods', static_configs: [{ targets: [`${backend.host}:${backend.port}`] }] }],
      ruleGroups: [
        { name: 'tests', rules: [{ alert: 'Busy', expr: `${IN_FLIGHT} > 1`, labels: { severity: 'none' } }] },
      ],
    });
    backend.hold(4);
    await eventually(() => prometheus.query(IN_FLIGHT), {
      because: 'four requests are in flight',
      until: ([sample]) => sample !== undefined && sample.labels.job === 'pods' && sample.value > 2,
      intervalMs: 500,
    });
    const [alert] = await eventually(() => prometheus.alerts(), {
      because: 'the alert fires',
      until: ([first]) => first?.state === 'firing',
      intervalMs: 500,
    });
    assert.equal(alert?.labels.alertname, 'Busy');

    await prometheus.stop();
    await assert.rejects(prometheus.query(IN_FLIGHT), /ECONNREFUSED/);
    await prometheus.start();
    const [sample] = await prometheus.query(`max_over_time(${IN_FLIGHT}[5m])`);
    assert.ok((sample?.value ?? 0) > 2, 'it has its data');
  });

  it('says what is wrong with its configuration', async () => {
    await assert.rejects(
      startPrometheus({ scrapeConfigs: [{ job_name: 'pods', no_such_field: true }] }),
      /field no_such_field not found/,
    );
  });
});
