import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeReviews } from '../kube/api.ts';
import type { ResourceType } from '../kube/types.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { Store } from '../runtime/store.ts';
import { type ApiAnswer, answerApiCall } from './api-handler.ts';
import { Authorizer } from './authorizer.ts';
import type { FrontProxy } from './front-proxy.ts';
import { type Reading, type ReadMetric, SourceUnavailableError } from './metric-source.ts';
import { POD_INDEXES, type ServerPod } from './server-pod.ts';

const IN_FLIGHT = 'modelservice_in_flight_avg15s';
const PROXY: FrontProxy = {
  clientCa: 'PEM',
  allowedNames: [],
  usernameHeaders: ['x-remote-user'],
  uidHeaders: [],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: [],
};

/** The user `jane` may do all, `joe` nothing, and nobody can be asked about `broken`. */
class Reviews implements KubeReviews {
  readonly asked: { readonly user: string; readonly groups: readonly string[]; readonly [field: string]: unknown }[] =
    [];

  create<T>(_type: ResourceType, body: Readonly<Record<string, unknown>>): Promise<T> {
    const spec = body.spec as Reviews['asked'][number];
    this.asked.push(spec);
    if (spec.user === 'broken') return Promise.reject(new Error('no answer'));
    return Promise.resolve({ status: { allowed: spec.user === 'jane', reason: 'so it is' } } as T);
  }
}

function setUp(values: Readonly<Record<string, number | undefined>>) {
  const pods = new Store<ServerPod>(POD_INDEXES);
  for (const [name, value] of Object.entries(values)) {
    pods.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'n',
        uid: name,
        resourceVersion: '1',
        labels: { 'modelservice.dev/name': 'digits' },
      },
      metricsUrl: value === undefined ? undefined : 'http://pod',
    });
  }
  const reviews = new Reviews();
  const clock = new FakeClock();
  const options = {
    frontProxy: (): FrontProxy | undefined => PROXY,
    authorizer: new Authorizer({ reviews, clock }),
    pods,
    namespaces: [],
    log: pino({ level: 'silent' }),
    read: oneByOne(async ({ metadata, metricsUrl }) => {
      const value = values[metadata.name];
      // A negative value: the pod is ready and does not answer.
      if (metricsUrl === undefined || value === undefined || value < 0) return undefined;
      const samples = ['a', 'b'].map((model) => ({ metric: IN_FLIGHT, labels: { model }, value: value / 2 }));
      return { at: Date.UTC(2026, 0, 1), samples };
    }),
  };
  const ask = (target: string, user = 'jane', group?: string, method = 'GET'): Promise<ApiAnswer> => {
    const headers = { 'x-remote-user': [user], ...(group === undefined ? {} : { 'x-remote-group': [group] }) };
    return answerApiCall(
      { method, target, credentials: { commonName: 'proxy', headers } },
      options,
      new AbortController().signal,
    );
  };
  return { ask, reviews, clock, options };
}

function oneByOne(read: (pod: ServerPod) => Promise<Reading | undefined>): ReadMetric {
  return (pods) => Promise.all(pods.map(read));
}

const path = (rest: string, version = 'v1beta2'): string =>
  `/apis/custom.metrics.k8s.io/${version}/namespaces/n/${rest}`;
const valuesOf = ({ body }: ApiAnswer): unknown =>
  (body as { items: { describedObject: { name: string }; value: string }[] }).items.map(
    ({ describedObject, value }) => [describedObject.name, value],
  );

describe('calls of the metrics API', () => {
  const pods = { one: 3, two: 0.5, hung: -1, loading: undefined };

  it('answer each pod that is ready and answers, with all of its models together', async () => {
    const { ask, reviews } = setUp(pods);
    const answer = await ask(path(`pods/%2A/${IN_FLIGHT}?labelSelector=modelservice.dev%2Fname%3Ddigits`));
    assert.deepEqual(answer.body, {
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta2',
      metadata: {},
      items: ['one', 'two'].map((name) => ({
        describedObject: { kind: 'Pod', apiVersion: 'v1', namespace: 'n', name },
        metric: { name: IN_FLIGHT, selector: null },
        windowSeconds: 15,
        timestamp: '2026-01-01T00:00:00Z',
        value: name === 'one' ? '3' : '500m',
      })),
    });
    assert.deepEqual(reviews.asked, [
      {
        user: 'jane',
        groups: ['system:authenticated'],
        extra: {},
        resourceAttributes: {
          group: 'custom.metrics.k8s.io',
          version: 'v1beta2',
          namespace: 'n',
          resource: 'pods',
          subresource: IN_FLIGHT,
          name: '*',
          verb: 'get',
        },
      },
    ]);
  });

  it('answer with the names of v1beta1 where that was asked', async () => {
    const { body } = await setUp(pods).ask(path(`pods/one/${IN_FLIGHT}`, 'v1beta1'));
    const [item] = (body as { items: object[] }).items;
    assert.partialDeepStrictEqual(item, { metricName: IN_FLIGHT, window: 15, selector: null, value: '3' });
  });

  it('answer a ModelService with the sum, in which a pod that does not answer is as the others are', async () => {
    const answer = await setUp({ ...pods, two: 1 }).ask(path(`modelservices.modelservice.dev/digits/${IN_FLIGHT}`));
    assert.deepEqual(valuesOf(answer), [['digits', '6']]);
  });

  it('count only the series that are selected', async () => {
    const answer = await setUp(pods).ask(path(`pods/*/${IN_FLIGHT}?metricLabelSelector=model%3Da`));
    assert.deepEqual(valuesOf(answer), [
      ['one', '1500m'],
      ['two', '250m'],
    ]);
  });

  it('answer an empty list, which autoscalers take for no metric, where no pod answers', async () => {
    assert.deepEqual(valuesOf(await setUp({ hung: -1 }).ask(path(`pods/*/${IN_FLIGHT}`))), []);
  });

  for (const { title, target, status, method } of [
    { title: 'an unknown metric', target: path('pods/*/memory'), status: 404 },
    { title: 'an unknown pod', target: path(`pods/none/${IN_FLIGHT}`), status: 404 },
    { title: 'a pod that does not answer', target: path(`pods/hung/${IN_FLIGHT}`), status: 404 },
    { title: 'an unknown ModelService', target: path(`modelservices.modelservice.dev/x/${IN_FLIGHT}`), status: 404 },
    { title: 'an unknown version', target: path(`pods/*/${IN_FLIGHT}`, 'v1'), status: 404 },
    { title: 'another path', target: '/api/v1/pods', status: 404 },
    { title: 'a bad selector', target: path(`pods/*/${IN_FLIGHT}?labelSelector=a%3E1`), status: 400 },
    { title: 'a write', target: path(`pods/one/${IN_FLIGHT}`), status: 405, method: 'POST' },
    { title: 'discovery', target: '/apis/custom.metrics.k8s.io/v1beta2', status: 200 },
    { title: 'the group', target: '/apis/custom.metrics.k8s.io', status: 200 },
    { title: 'all groups', target: '/apis', status: 200 },
    { title: 'OpenAPI', target: '/openapi/v3', status: 200 },
  ]) {
    it(`answer ${status} to ${title}`, async () => {
      const answer = await setUp(pods).ask(target, 'jane', undefined, method);
      assert.equal(answer.status, status);
      if (status >= 400)
        assert.partialDeepStrictEqual(answer.body, { kind: 'Status', status: 'Failure', code: status });
    });
  }

  it('are refused to who is not allowed, and nothing is told', async () => {
    const answer = await setUp(pods).ask(path(`pods/*/${IN_FLIGHT}`), 'joe');
    assert.equal(answer.status, 403);
    assert.match(JSON.stringify(answer.body), /joe.*may not get.*so it is/);
  });

  it('are refused to everybody while it is not known whom to believe', async () => {
    const { options } = setUp(pods);
    const call = {
      method: 'GET',
      target: '/apis',
      credentials: { commonName: 'proxy', headers: { 'x-remote-user': ['jane'] } },
    };
    const answer = await answerApiCall(call, { ...options, frontProxy: () => undefined }, new AbortController().signal);
    assert.equal(answer.status, 401);
  });

  it('answer 500 while the API server cannot be asked, but for its own administrators', async () => {
    const { ask, reviews } = setUp(pods);
    assert.equal((await ask('/apis', 'broken')).status, 500);
    assert.equal((await ask('/apis', 'broken', 'system:masters')).status, 200);
    assert.equal((await ask('/apis', 'broken')).status, 500);
    assert.equal(reviews.asked.length, 2, 'a failure is not kept');
  });

  it('answer 503 and why while nothing can be said of any pod, so that autoscalers keep the size', async () => {
    const { options } = setUp(pods);
    const down = new SourceUnavailableError('Prometheus at prometheus:9090 did not answer within 3 s');
    const credentials = { commonName: 'proxy', headers: { 'x-remote-user': ['jane'] } };
    const { status, body } = await answerApiCall(
      { method: 'GET', target: path(`pods/*/${IN_FLIGHT}`), credentials },
      { ...options, read: () => Promise.reject(down) },
      new AbortController().signal,
    );
    assert.equal(status, 503);
    assert.partialDeepStrictEqual(body, { reason: 'ServiceUnavailable', message: down.message });
  });

  it('say which value of the chart to set for a namespace whose pods are not looked at', async () => {
    const { options } = setUp(pods);
    const credentials = { commonName: 'proxy', headers: { 'x-remote-user': ['jane'] } };
    const call = { method: 'GET', target: path(`pods/*/${IN_FLIGHT}`), credentials };
    const { signal } = new AbortController();
    const { status, body } = await answerApiCall(call, { ...options, namespaces: ['other'] }, signal);
    assert.equal(status, 404);
    assert.match((body as { message: string }).message, /namespace n: name it in metrics\.api\.furtherNamespaces/);
    assert.equal((await answerApiCall(call, { ...options, namespaces: ['other', 'n'] }, signal)).status, 200);
  });

  it('ask about a user once in ten seconds', async () => {
    const { ask, reviews, clock } = setUp(pods);
    for (let count = 0; count < 3; count++) await ask('/apis');
    assert.equal(reviews.asked.length, 1);
    await clock.advance(10_000);
    await ask('/apis');
    assert.equal(reviews.asked.length, 2);
  });
});
