import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { WatchEvent } from '../../operator/src/kube/api.ts';
import { ApiError, isConflict, isInvalid, isNotFound } from '../../operator/src/kube/errors.ts';
import type { Intent, KubeObject } from '../../operator/src/kube/types.ts';
import { useKubeClient } from './support/kube-client.ts';
import { kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';

const { configMaps, services } = RESOURCES;
const us = { fieldManager: 'modelservice' };

describe('KubeClient against a real API server', () => {
  const namespace = useNamespace('client');
  const client = useKubeClient();
  const { signal } = new AbortController();

  function configMap(name: string, data: object = {}): Intent {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: namespace(), labels: { x: 'y' } },
      data,
    };
  }

  it('lists page by page what it applied, with type and one resourceVersion', async () => {
    for (const name of ['a', 'b', 'c']) await client().apply(configMaps, configMap(name), us, signal);
    const scope = { namespace: namespace(), labelSelector: 'x=y', limit: 2 };
    const first = await client().list(configMaps, scope, signal);
    const rest = await client().list(configMaps, { ...scope, continue: first.continue }, signal);
    const items = [...first.items, ...rest.items];
    assert.deepEqual(
      items.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name]),
      ['a', 'b', 'c'].map((name) => ['v1', 'ConfigMap', name]),
    );
    assert.deepEqual([rest.resourceVersion, rest.continue], [first.resourceVersion, undefined]);
  });

  it('watches what happens after a resourceVersion, multi-byte characters and large objects included', async () => {
    const { resourceVersion } = await client().list(configMaps, { namespace: namespace() }, signal);
    const text = '模型 é 😀'.repeat(20_000);
    const events: WatchEvent<KubeObject & { data?: object }>[] = [];
    const stop = new AbortController();
    const options = { namespace: namespace(), resourceVersion, timeoutSeconds: 60, labelSelector: 'x=y' };
    const watch = client().watch<KubeObject & { data?: object }>(configMaps, options, stop.signal);
    await client().apply(configMaps, configMap('large', { text }), us, signal);
    await client().apply(configMaps, configMap('large', { text: 'small' }), us, signal);
    await client().delete(configMaps, { namespace: namespace(), name: 'large' }, {}, signal);
    for await (const event of watch) {
      events.push(event);
      if (event.type === 'DELETED') break;
    }
    assert.deepEqual(
      events.map((event) => [event.type, event.type === 'BOOKMARK' ? undefined : event.object.data]),
      [
        ['ADDED', { text }],
        ['MODIFIED', { text: 'small' }],
        ['DELETED', { text: 'small' }],
      ],
    );
  });

  it('ends a watch when the server does, after a bookmark', async () => {
    const { resourceVersion } = await client().list(configMaps, { namespace: namespace() }, signal);
    const options = { namespace: namespace(), resourceVersion, timeoutSeconds: 1 };
    const types: string[] = [];
    for await (const { type } of client().watch(configMaps, options, signal)) types.push(type);
    assert.ok(types.every((type) => type === 'BOOKMARK'));
  });

  it('tells what is missing, wrong and in conflict apart', async () => {
    const missing = client().get(configMaps, { namespace: namespace(), name: 'nowhere' }, signal);
    await assert.rejects(missing, isNotFound);
    const wrong: Intent = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'wrong', namespace: namespace() },
      spec: { ports: [{ port: 0 }] },
    };
    await assert.rejects(client().apply(services, wrong, us, signal), (error) => {
      assert.ok(error instanceof ApiError && isInvalid(error));
      assert.deepEqual(
        error.causes.map(({ field }) => field),
        ['spec.ports[0].port', 'spec.ports[0].targetPort'],
      );
      return true;
    });
    const { metadata } = await client().apply(configMaps, configMap('another'), us, signal);
    const ref = { namespace: namespace(), name: 'another' };
    await assert.rejects(client().delete(configMaps, ref, { uid: 'somebody-else' }, signal), isConflict);
    const { uid, resourceVersion } = metadata;
    await kubectl(['label', '-n', namespace(), 'configmap/another', 'given=away']);
    await assert.rejects(client().delete(configMaps, ref, { uid, resourceVersion }, signal), isConflict);
    await client().delete(configMaps, ref, { uid }, signal);
    await client().delete(configMaps, ref, {}, signal);
  });

  it('applies the status alone', async () => {
    const { modelServices } = RESOURCES;
    const metadata = { name: 'status', namespace: namespace() };
    const typeMeta = { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService' };
    const spec = { model: { uri: 'file:///models/a' } };
    await client().apply(modelServices, { ...typeMeta, metadata, spec }, { fieldManager: 'user' }, signal);
    const status = { ...typeMeta, metadata, status: { observedGeneration: 1 } };
    const options = { ...us, subresource: 'status' as const };
    type WithStatus = KubeObject & { status?: { observedGeneration?: number }; spec?: { model?: object } };
    const stored = await client().apply<WithStatus>(modelServices, status, options, signal);
    assert.equal(stored.status?.observedGeneration, 1);
    assert.ok(stored.spec?.model);
  });
});
