import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { Agent, request } from 'undici';
import { issueCertificate } from '../../operator/src/runtime/issue-certificate.ts';
import { numberOf } from './support/autoscaling.ts';
import { eventually } from './support/eventually.ts';
import { KubectlError, kubectl } from './support/kubectl.ts';
import { reportReady } from './support/kubelet.ts';
import { createMetricsPod, type LoadedBackend, startHung, startTelemetry } from './support/metrics-pods.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useMetricsApi } from './support/suite-metrics-api.ts';
import { testApi, testCluster } from './support/test-run.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';
const V1BETA2 = '/apis/custom.metrics.k8s.io/v1beta2';

interface MetricValueList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly {
    readonly describedObject: { readonly kind: string; readonly name: string };
    readonly metric?: { readonly name: string };
    readonly timestamp: string;
    readonly windowSeconds?: number;
    readonly value: string;
  }[];
}

describe('the custom metrics API', () => {
  const namespace = useNamespace('metrics-api');
  const api = useMetricsApi(namespace);
  let busy: LoadedBackend;
  let idle: LoadedBackend;

  before('make pods', async () => {
    [busy, idle] = await Promise.all([startTelemetry(), startTelemetry()]);
    for (const [name, backend] of Object.entries({ busy, idle })) {
      await reportReady(await createMetricsPod({ namespace: namespace(), name }, 'digits', backend.port));
    }
    // Not ready, so that nobody asks where it is said to be.
    await createMetricsPod({ namespace: namespace(), name: 'loading' }, 'digits', busy.port);
    busy.hold(6);
  });
  after(async () => {
    await busy?.[Symbol.asyncDispose]();
    await idle?.[Symbol.asyncDispose]();
  });

  async function get(path: string, kubeconfig?: string): Promise<MetricValueList> {
    return JSON.parse(await kubectl(['get', '--raw', path], { kubeconfig })) as MetricValueList;
  }
  const podsPath = (metric = IN_FLIGHT, name = '*', version = V1BETA2): string =>
    `${version}/namespaces/${namespace()}/pods/${name}/${metric}`;
  const digits = '?labelSelector=modelservice.dev%2Fname%3Ddigits';
  const values = ({ items }: MetricValueList): Readonly<Record<string, number>> =>
    Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, numberOf(value)]));

  it('is found by discovery', async () => {
    const { resources } = JSON.parse(await kubectl(['get', '--raw', V1BETA2])) as {
      readonly resources: readonly { readonly name: string }[];
    };
    assert.deepEqual(resources.map(({ name }) => name).sort(), [
      'modelservices.modelservice.dev/modelservice_in_flight_avg15s',
      'modelservices.modelservice.dev/modelservice_queued_avg15s',
      'modelservices.modelservice.dev/modelservice_requests_per_second_avg15s',
      'pods/modelservice_in_flight_avg15s',
      'pods/modelservice_queued_avg15s',
      'pods/modelservice_requests_per_second_avg15s',
    ]);
    const versions = await kubectl(['api-versions']);
    assert.match(versions, /^custom\.metrics\.k8s\.io\/v1beta2$/m);
    assert.match(versions, /^custom\.metrics\.k8s\.io\/v1beta1$/m);
  });

  it('tells what each ready pod has in flight, and leaves out one that is not ready', async () => {
    const list = await eventually(() => get(`${podsPath()}${digits}`), {
      because: '15 s of six requests in flight are a mean of six',
      until: (found) => (values(found).busy ?? 0) > 5.7,
      intervalMs: 500,
    });
    assert.deepEqual(Object.keys(values(list)).sort(), ['busy', 'idle']);
    assert.equal(values(list).idle, 0);
    assert.equal(list.kind, 'MetricValueList');
    assert.equal(list.apiVersion, 'custom.metrics.k8s.io/v1beta2');
    const [item] = list.items;
    assert.equal(item?.metric?.name, IN_FLIGHT);
    assert.equal(item?.windowSeconds, 15);
    assert.ok(Math.abs(Date.parse(item?.timestamp ?? '') - Date.now()) < 10_000, item?.timestamp);
  });

  it('moves within 2 s of a step in load, and is within 5 % of it after 17 s', async () => {
    const before = values(await get(`${podsPath()}${digits}`)).idle ?? Number.NaN;
    const startedMs = performance.now();
    idle.hold(10);
    const moved = await eventually(() => get(`${podsPath()}${digits}`), {
      because: 'the value moves',
      until: (found) => (values(found).idle ?? 0) > before,
      intervalMs: 100,
    });
    const movedMs = performance.now() - startedMs;
    await eventually(() => get(`${podsPath()}${digits}`), {
      because: 'the value arrives',
      until: (found) => (values(found).idle ?? 0) >= 9.5,
      intervalMs: 100,
    });
    const arrivedMs = performance.now() - startedMs;
    console.log(`      moved after ${Math.round(movedMs)} ms, arrived after ${Math.round(arrivedMs)} ms`);
    assert.ok((values(moved).idle ?? 0) < 9.5, 'it is a mean');
    idle.hold(0);
  });

  it('tells one pod, the older version, and the whole ModelService', async () => {
    assert.deepEqual(Object.keys(values(await get(podsPath(IN_FLIGHT, 'busy')))), ['busy']);
    const older = await get(podsPath(IN_FLIGHT, 'busy', '/apis/custom.metrics.k8s.io/v1beta1'));
    assert.equal(older.apiVersion, 'custom.metrics.k8s.io/v1beta1');
    assert.equal((older.items[0] as unknown as { metricName: string }).metricName, IN_FLIGHT);
    busy.hold(6);
    const service = await eventually(
      () => get(`${V1BETA2}/namespaces/${namespace()}/modelservices.modelservice.dev/digits/${IN_FLIGHT}`),
      {
        because: 'the busy pod and the idle one',
        until: (found) => Math.abs((values(found).digits ?? 0) - 6) < 0.3,
        intervalMs: 500,
      },
    );
    assert.equal(service.items[0]?.describedObject.kind, 'ModelService');
  });

  it('leaves out a pod that hangs, and asks it in the background', async () => {
    await using hung = await startHung();
    await reportReady(await createMetricsPod({ namespace: namespace(), name: 'hung' }, 'partly', hung.port));
    await reportReady(await createMetricsPod({ namespace: namespace(), name: 'well' }, 'partly', idle.port));
    const path = `${podsPath()}?labelSelector=modelservice.dev%2Fname%3Dpartly`;
    await eventually(() => get(path), {
      because: 'the one that answers is there',
      until: (found) => JSON.stringify(Object.keys(values(found))) === '["well"]',
    });
    const metrics = await (await fetch(`${api().process.metricsUrl}/metrics`)).text();
    assert.match(metrics, /modelservice_metrics_api_pod_reads_total\{result="timeout"\} [1-9]/);
  });

  for (const { title, path, expected } of [
    {
      title: 'an unknown metric',
      path: () => podsPath('cpu'),
      expected: /the metrics are modelservice_in_flight_avg15s/,
    },
    {
      title: 'a pod that is not ready',
      path: () => podsPath(IN_FLIGHT, 'loading'),
      expected: /is not ready or does not answer/,
    },
    {
      title: 'a pod that is none of a ModelService',
      path: () => podsPath(IN_FLIGHT, 'other'),
      expected: /there is no Pod/,
    },
    {
      title: 'a bad selector',
      path: () => `${podsPath()}?labelSelector=a%3D%3D%3Db`,
      expected: /is no requirement of a label selector/,
    },
    {
      title: 'another resource',
      path: () => `${V1BETA2}/namespaces/${namespace()}/services/x/${IN_FLIGHT}`,
      expected: /have no metrics here/,
    },
  ]) {
    it(`says what is wrong with ${title}`, async () => {
      await assert.rejects(
        kubectl(['get', '--raw', path()]),
        (error) => error instanceof KubectlError && expected.test(error.stderr),
      );
    });
  }

  it('answers whom the API server authorises, and nobody else', async () => {
    const name = `reader-${randomBytes(3).toString('hex')}`;
    await testApi().create(RESOURCES.serviceAccounts, { metadata: { namespace: namespace(), name } });
    const kubeconfig = await testCluster().kubeconfigFor({ namespace: namespace(), name });
    await assert.rejects(
      get(podsPath(), kubeconfig),
      (error) => error instanceof KubectlError && /Forbidden/.test(error.stderr),
    );
    const rules = [{ apiGroups: ['custom.metrics.k8s.io'], resources: [`pods/${IN_FLIGHT}`], verbs: ['get'] }];
    const subjects = [{ kind: 'ServiceAccount', namespace: namespace(), name }];
    for (const object of [
      { kind: 'Role', rules },
      { kind: 'RoleBinding', subjects, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name } },
    ]) {
      const manifest = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name }, ...object };
      await kubectl(['apply', '-n', namespace(), '-f', '-'], { input: JSON.stringify(manifest) });
    }
    await eventually(() => get(podsPath(), kubeconfig), {
      because: 'the refusal is kept for 10 s only',
      intervalMs: 500,
    });
  });

  describe('called past the API server', () => {
    const call = async (connect: object, headers: Readonly<Record<string, string>>, path: string) => {
      const dispatcher = new Agent({ connect: { rejectUnauthorized: false, ...connect } });
      try {
        const { statusCode, body } = await request(`https://127.0.0.1:${api().apiPort}${path}`, {
          dispatcher,
          headers,
        });
        return { statusCode, text: await body.text() };
      } finally {
        await dispatcher.close();
      }
    };
    const masters = { 'x-remote-user': 'somebody', 'x-remote-group': 'system:masters' };

    it('refuses who has no certificate, whatever the headers say', async () => {
      assert.equal((await call({}, masters, V1BETA2)).statusCode, 401);
    });

    it('refuses a certificate that the front proxy did not issue', async () => {
      const [notBefore, notAfter] = [Date.now() - 1000, Date.now() + 3_600_000];
      const stranger = await issueCertificate({
        commonName: 'front-proxy-client',
        dnsNames: [],
        usage: 'clientAuth',
        notBefore,
        notAfter,
      });
      const { statusCode, text } = await call({ cert: stranger.cert, key: stranger.key }, masters, V1BETA2);
      assert.equal(statusCode, 401, text);
    });

    it('tells anybody that it is alive, and no more', async () => {
      assert.deepEqual(await call({}, {}, '/livez'), { statusCode: 200, text: 'ok' });
      assert.equal((await call({}, {}, '/metrics')).statusCode, 401);
    });
  });
});
