import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { foreignFieldsOf } from './foreign-fields.ts';
import type { Deployment } from './live-objects.ts';
import { deploymentOf } from './plan/deployment.ts';
import { podTemplateOf } from './plan/pod-template.ts';
import { SURGE } from './plan/rollout-strategy.ts';
import { sampleDeployment, sampleService } from './sample.ts';

const service = sampleService({ server: { env: [{ name: 'OWN', value: '1' }], resources: { limits: { cpu: 1 } } } });
const template = podTemplateOf(service, 'server:wasm');
const intent = deploymentOf(service, { template, annotation: undefined }, SURGE, undefined);

/** As the API server keeps what was applied, with `changes` by somebody else in the server's container. */
function live(changes: Readonly<Record<string, unknown>> = {}): Deployment {
  const { spec } = intent as unknown as Deployment;
  const [container] = spec.template.spec.containers;
  const served = { ...container, imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/t', ...changes };
  const sidecar = { name: 'sidecar', env: [{ name: 'ITS_OWN' }] };
  return {
    ...sampleDeployment(),
    spec: { template: { spec: { containers: [sidecar, { name: 'server', ...served }] } } },
  };
}

describe('foreignFieldsOf', () => {
  it('finds nothing in what was applied and defaulted, and nothing in other containers', () => {
    assert.deepEqual(foreignFieldsOf(intent, live()), []);
  });

  it('names each variable, quantity, mount and field that others set', () => {
    const changed = live({
      env: [{ name: 'MODELSERVICE_CONFIG' }, { name: 'OWN' }, { name: 'B' }, { name: 'A' }],
      resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } },
      volumeMounts: [{ mountPath: '/tmp' }, { mountPath: '/secrets' }],
      envFrom: [{ configMapRef: { name: 'x' } }],
      command: ['sh'],
    });
    assert.deepEqual(foreignFieldsOf(intent, changed), [
      'command',
      'env A',
      'env B',
      'envFrom',
      'resources.limits.memory',
      'resources.requests.cpu',
      'volumeMounts /secrets',
    ]);
  });
});
