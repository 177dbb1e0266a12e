import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { KubeObject, OwnerReference } from '../kube/types.ts';
import { controllerKeyOf, keyOfRef, keysByLabel, refOfKey } from './object-key.ts';

describe('keys', () => {
  for (const ref of [{ namespace: 'default', name: 'a' }, { name: 'a' }]) {
    it(`of ${JSON.stringify(ref)} lead back to it`, () => assert.deepEqual(refOfKey(keyOfRef(ref)), ref));
  }

  const owner = { group: 'example.dev', kind: 'Thing' };
  const reference: OwnerReference = {
    apiVersion: 'example.dev/v1',
    kind: 'Thing',
    name: 'x',
    uid: 'u',
    controller: true,
  };
  const cases: readonly { readonly title: string; readonly reference: OwnerReference; readonly key?: string }[] = [
    { title: 'names the controller', reference, key: 'default/x' },
    {
      title: 'of another version as well',
      reference: { ...reference, apiVersion: 'example.dev/v2' },
      key: 'default/x',
    },
    { title: 'not one of another group', reference: { ...reference, apiVersion: 'example.com/v1' } },
    { title: 'not one of another kind', reference: { ...reference, kind: 'Other' } },
    { title: 'not an owner that does not control', reference: { ...reference, controller: false } },
  ];
  for (const { title, reference: given, key } of cases) {
    it(`of an owner: ${title}`, () => {
      const metadata = { namespace: 'default', name: 'a', uid: 'v', resourceVersion: '1', ownerReferences: [given] };
      const object: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata };
      assert.equal(controllerKeyOf(object, owner), key);
    });
  }

  it('of a label name what is in the same namespace', () => {
    const metadata = {
      namespace: 'default',
      name: 'a',
      uid: 'v',
      resourceVersion: '1',
      labels: { 'example.dev/of': 'x' },
    };
    const object: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata };
    assert.deepEqual(keysByLabel(object, 'example.dev/of'), ['default/x']);
    assert.deepEqual(keysByLabel(object, 'example.dev/other'), []);
  });
});
