import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { KubeObject } from '../kube/types.ts';
import { keyOf } from './object-key.ts';
import { Store } from './store.ts';

function object(namespace: string, name: string, resourceVersion: string, color: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, uid: `${namespace}-${name}`, resourceVersion, labels: { color } },
  };
}

function byColor(value: KubeObject): readonly string[] {
  return [value.metadata.labels?.color ?? 'none'];
}

describe('Store', () => {
  it('says which index it does not have', () => {
    assert.throws(() => new Store().byIndex('color', 'red'), /no index "color"/);
  });

  it('replaces one namespace and leaves the others', () => {
    const store = new Store({ byColor });
    for (const namespace of ['blue', 'green']) store.put(object(namespace, 'a', '1', 'red'));
    const changes = store.replace([object('blue', 'b', '2', 'red')], 'blue');
    assert.deepEqual(
      changes.map(({ key, after }) => [key, after !== undefined]),
      [
        ['blue/a', false],
        ['blue/b', true],
      ],
    );
    assert.deepEqual(store.byIndex('byColor', 'red').map(keyOf), ['green/a', 'blue/b']);
  });

  it('finds by index exactly what a search through all objects finds, whatever was done', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const color = fc.constantFrom('red', 'blue');
    const version = fc.nat({ max: 9 }).map(String);
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), name, color, version }),
      fc.record({ do: fc.constant('remove' as const), name }),
      fc.record({ do: fc.constant('replace' as const), names: fc.uniqueArray(name), color, version }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const store = new Store({ byColor });
        for (const taken of steps) {
          if (taken.do === 'put') store.put(object('n', taken.name, taken.version, taken.color));
          else if (taken.do === 'remove') store.remove(`n/${taken.name}`);
          else store.replace(taken.names.map((each) => object('n', each, taken.version, taken.color)));
          for (const value of ['red', 'blue']) {
            const searched = store.list().filter((each) => byColor(each)[0] === value);
            assert.deepEqual(new Set(store.byIndex('byColor', value)), new Set(searched));
          }
        }
      }),
    );
  });
});
