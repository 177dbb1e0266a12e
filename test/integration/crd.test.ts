import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { KubectlError, kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { collectionPath } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';
import { wrongManifests } from './support/wrong-manifests.ts';

describe('The API of ModelService', () => {
  const namespace = useNamespace('crd');

  describe('refuses, naming the field and the way out,', () => {
    for (const { title, manifest, field, fix } of wrongManifests) {
      it(title, async () => {
        await assert.rejects(applyManifest(namespace(), manifest), (error: unknown) => {
          assert.ok(error instanceof KubectlError);
          assert.ok(error.message.includes(field), `names ${field}: ${error.message}`);
          assert.match(error.message, fix);
          return true;
        });
      });
    }

    it('and none of them changed anything', async () => {
      const names = new Set(wrongManifests.map(({ manifest }) => manifest.metadata.name));
      const left = await testApi().list(RESOURCES.modelServices, { namespace: namespace() });
      assert.deepEqual(
        left.filter(({ metadata }) => names.has(metadata.name)),
        [],
      );
    });
  });

  it('fills in what a short manifest leaves out', async () => {
    await applyManifest(namespace(), modelService('short'));
    const { spec, status } = await testApi().get(RESOURCES.modelServices, { namespace: namespace(), name: 'short' });
    assert.deepEqual(spec, {
      model: { uri: 'file:///examples/mnist/model', format: 'Auto', version: '1' },
      server: { engine: 'Auto', logLevel: 'Info', resources: {}, startupTimeout: '10m', updatePolicy: 'OnSpecChange' },
      scaling: { minReplicas: 1 },
      rollout: { strategy: 'Auto', allowInterruption: false },
      availability: { drainTimeout: '30s', podDisruptionBudget: { enabled: true, maxUnavailable: 1 } },
      pod: {},
      suspend: false,
    });
    assert.deepEqual(status, { replicas: 0, readyReplicas: 0 });
  });

  it('fills in what a short batching leaves out', async () => {
    await applyManifest(namespace(), modelService('batching', { batching: {} }));
    const { spec } = await testApi().get(RESOURCES.modelServices, { namespace: namespace(), name: 'batching' });
    assert.deepEqual(spec?.batching, { maxBatchSize: 32, maxDelay: '2ms', maxQueueSize: 256 });
  });

  for (const uri of [
    'file:///examples/mnist/model/model.json',
    'https://example.com:8443/models/cat/model.json?sig=1',
    'http://10.0.0.1/model',
    'npm:@scope/models@1.2.3-beta.1/cat/model.json',
    'npm:models@1.2.3',
    'configmap://cat.v2',
  ]) {
    it(`takes the URI ${uri}`, async () => {
      await applyManifest(namespace(), modelService('uri', { model: { uri } }), ['--dry-run=server']);
    });
  }

  it('answers GET /scale on an object that nobody has reconciled', async () => {
    await applyManifest(namespace(), modelService('unreconciled', { scaling: { minReplicas: 2 } }));
    const path = `${collectionPath(RESOURCES.modelServices, namespace())}/unreconciled/scale`;
    const scale: unknown = JSON.parse(await kubectl(['get', '--raw', path]));
    assert.ok(typeof scale === 'object' && scale !== null && 'spec' in scale && 'status' in scale);
    assert.deepEqual([scale.spec, scale.status], [{ replicas: 2 }, { replicas: 0 }]);
  });

  it('prints readable columns', async () => {
    await applyManifest(namespace(), modelService('columns'));
    const narrow = await kubectl(['get', 'msvc', 'columns', '--namespace', namespace()]);
    assert.deepEqual(narrow.split('\n')[0]?.split(/\s+/), ['NAME', 'READY', 'REPLICAS', 'MODEL', 'REASON', 'AGE']);
    const wide = await kubectl(['get', 'msvc', 'columns', '--namespace', namespace(), '-o', 'wide']);
    assert.match(wide, /AGE +ENGINE +URL/);
  });
});
