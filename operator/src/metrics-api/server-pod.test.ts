import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CallablePod } from '../runtime/ready-address.ts';
import { toServerPod } from './server-pod.ts';

const ready = [{ type: 'Ready', status: 'True' }];
const pod = (status: CallablePod['status'], metadata: object = {}): CallablePod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', ...metadata },
  spec: { containers: [{ name: 'sidecar' }, { name: 'server', ports: [{ name: 'metrics', containerPort: 8082 }] }] },
  ...(status === undefined ? {} : { status }),
});

describe('server pod', () => {
  for (const { title, given, url } of [
    { title: 'ready', given: pod({ podIP: '10.0.0.1', conditions: ready }), url: 'http://10.0.0.1:8082/metrics' },
    {
      title: 'ready, with IPv6',
      given: pod({ podIP: 'fd00::1', conditions: ready }),
      url: 'http://[fd00::1]:8082/metrics',
    },
    { title: 'new', given: pod(undefined), url: undefined },
    {
      title: 'not ready',
      given: pod({ podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'False' }] }),
      url: undefined,
    },
    {
      title: 'ending',
      given: pod({ podIP: '10.0.0.1', conditions: ready }, { deletionTimestamp: 'now' }),
      url: undefined,
    },
    {
      title: 'without the port',
      given: { ...pod({ podIP: '10.0.0.1', conditions: ready }), spec: { containers: [] } },
      url: undefined,
    },
  ]) {
    it(`that is ${title} is ${url === undefined ? 'not asked' : `asked at ${url}`}`, () => {
      assert.equal(toServerPod(given).metricsUrl, url);
    });
  }
});
