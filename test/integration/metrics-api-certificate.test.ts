import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventually } from './support/eventually.ts';
import { certificateAt } from './support/metrics-api-parts.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { isAvailable, useMetricsApi } from './support/suite-metrics-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';
const NAMES = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];

describe('the certificate of the custom metrics API', () => {
  const namespace = useNamespace('metrics-certificate');
  // Renewed when a third is left.
  const api = useMetricsApi(namespace, ['--certificate-lifetime=24s']);

  async function authorities(name: string): Promise<number> {
    const { spec } = await testApi().get(RESOURCES.apiServices, { name });
    return (
      Buffer.from(String(spec?.caBundle ?? ''), 'base64')
        .toString()
        .split('BEGIN CERTIFICATE').length - 1
    );
  }

  it('is renewed while every call is answered, old and new authority overlapping', async () => {
    const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace()}/pods/*/${IN_FLIGHT}`;
    const before = await certificateAt(api().apiPort);
    const failures: unknown[] = [];
    let calls = 0;
    let most = 0;
    await eventually(
      async () => {
        const { status, body } = await testCluster().client.request('GET', path);
        calls++;
        if (status !== 200) failures.push(body);
        most = Math.max(most, await authorities('v1beta2.custom.metrics.k8s.io'));
        return await certificateAt(api().apiPort);
      },
      {
        because: 'another certificate is served',
        until: (shown) => shown !== before,
        deadlineMs: 50_000,
        intervalMs: 100,
      },
    );
    for (let after = 0; after < 20; after++) {
      const { status, body } = await testCluster().client.request('GET', path);
      calls++;
      if (status !== 200) failures.push(body);
    }
    assert.deepEqual(failures, [], `${calls} calls`);
    assert.ok(most >= 2, 'both authorities stood in the APIService');
    for (const name of NAMES) assert.ok(isAvailable(await testApi().get(RESOURCES.apiServices, { name })), name);
  });

  it('stands in its Secret without the key that could sign another', async () => {
    const secret = await testApi().get(RESOURCES.secrets, { namespace: namespace(), name: api().name });
    const keys = Object.keys((secret.data ?? {}) as object).filter((key) => !key.startsWith('next-'));
    assert.deepEqual(keys.sort(), ['ca.crt', 'tls.crt', 'tls.key']);
  });
});
