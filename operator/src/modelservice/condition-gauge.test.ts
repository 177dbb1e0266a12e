import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { familyText } from '../runtime/exposition.ts';
import { Store } from '../runtime/store.ts';
import { conditionGauge } from './condition-gauge.ts';
import type { ModelService } from './resource.ts';
import { sampleService } from './sample.ts';

describe('conditionGauge', () => {
  const services = new Store<ModelService>();
  let tells = true;
  const series = () =>
    familyText(conditionGauge(services, () => tells))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  function put(resourceVersion: string, conditions: NonNullable<ModelService['status']['conditions']>): void {
    const service = sampleService({}, { conditions });
    services.put({ ...service, metadata: { ...service.metadata, resourceVersion } });
  }
  const condition = (type: string, status: 'True' | 'False', reason: string) => ({
    type,
    status,
    reason,
    message: 'Never a label',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });

  it('has one series for each condition, with its present status and reason', () => {
    put('1', [condition('Ready', 'False', 'ModelNotFound'), condition('Stalled', 'True', 'ModelNotFound')]);
    const ofService = 'modelservice_condition{namespace="vision",name="mnist"';
    assert.deepEqual(series(), [
      `${ofService},type="Ready",status="False",reason="ModelNotFound"} 1`,
      `${ofService},type="Stalled",status="True",reason="ModelNotFound"} 1`,
    ]);
    put('2', [condition('Ready', 'True', 'PodsReady')]);
    assert.deepEqual(series(), [`${ofService},type="Ready",status="True",reason="PodsReady"} 1`]);
  });

  it('has none while another operator tells, and none of a service that is gone', () => {
    tells = false;
    assert.deepEqual(series(), []);
    tells = true;
    assert.equal(series().length, 1);
    services.remove('vision/mnist');
    assert.deepEqual(series(), []);
  });
});
