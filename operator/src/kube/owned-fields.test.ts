import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { withFieldsAsText } from './managed-fields.ts';
import { firstDifference } from './owned-fields.ts';
import type { Intent, KubeObject } from './types.ts';

const owner = { fieldManager: 'us' };

/** A live object with an entry of ours; `fieldsV1` is as a real API server writes it. */
function live(content: object, fieldsV1: unknown, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: {
      name: 'a',
      uid: 'u',
      resourceVersion: '1',
      ...metadata,
      managedFields: [
        { manager: 'other', operation: 'Apply', apiVersion: 'v1', fieldsV1: {} },
        { manager: 'us', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
      ],
    },
    ...content,
  };
}

function intent(content: object, metadata: object = {}): Intent {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', ...metadata }, ...content };
}

const leaf = {};
const ports = {
  'f:ports': {
    'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
    'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
  },
};
const env = {
  'f:env': {
    'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} },
    'k:{"name":"B"}': { '.': {}, 'f:name': {}, 'f:value': {} },
  },
};
const a = { name: 'A', value: '1' };
const b = { name: 'B', value: '2' };
const tcp = { port: 53, protocol: 'TCP' };
const udp = { port: 53, protocol: 'UDP' };

interface Case {
  readonly title: string;
  readonly want: object;
  readonly have: object;
  readonly fields: unknown;
  readonly differs: string | undefined;
}

const cases: readonly Case[] = [
  { title: 'a scalar as wanted', want: { x: 1 }, have: { x: 1 }, fields: { 'f:x': leaf }, differs: undefined },
  { title: 'a scalar of another value', want: { x: 1 }, have: { x: 2 }, fields: { 'f:x': leaf }, differs: 'x' },
  { title: 'a field that we never owned', want: { x: 1 }, have: { x: 1 }, fields: {}, differs: 'x' },
  { title: 'a field of others', want: { x: 1 }, have: { x: 1, y: 2 }, fields: { 'f:x': leaf }, differs: undefined },
  {
    title: 'a field that we stopped sending',
    want: { s: { x: 1 } },
    have: { s: { x: 1, y: 2 } },
    fields: { 'f:s': { 'f:x': leaf, 'f:y': leaf } },
    differs: 's.y',
  },
  {
    title: 'a field that is undefined in the intent, which is as good as absent',
    want: { x: 1, y: undefined },
    have: { x: 1 },
    fields: { 'f:x': leaf },
    differs: undefined,
  },
  {
    title: 'quantities of the same value',
    want: { limits: { cpu: '1000m', memory: '1024Mi', gpu: 1 } },
    have: { limits: { cpu: '1', memory: '1Gi', gpu: '1' } },
    fields: { 'f:limits': { 'f:cpu': leaf, 'f:memory': leaf, 'f:gpu': leaf } },
    differs: undefined,
  },
  {
    title: 'text that only looks like a quantity',
    want: { labels: { a: '1000m' } },
    have: { labels: { a: '1' } },
    fields: { 'f:labels': { 'f:a': leaf } },
    differs: 'labels.a',
  },
  {
    title: 'a keyed list between entries of others',
    want: { env: [a, b] },
    have: { env: [{ name: 'X' }, a, { name: 'Y' }, b] },
    fields: env,
    differs: undefined,
  },
  {
    title: 'a changed item of a keyed list',
    want: { env: [a, { ...b, value: '3' }] },
    have: { env: [a, b] },
    fields: env,
    differs: 'env[name=B].value',
  },
  {
    title: 'a keyed list in another order',
    want: { env: [b, a] },
    have: { env: [a, b] },
    fields: env,
    differs: 'env[name=A]',
  },
  { title: 'an item that we stopped sending', want: { env: [a] }, have: { env: [a, b] }, fields: env, differs: 'env' },
  {
    title: 'a new item',
    want: { env: [a, b, { name: 'C', value: '' }] },
    have: { env: [a, b] },
    fields: env,
    differs: 'env',
  },
  {
    title: 'an item whose key field has a default',
    want: { ports: [{ port: 53 }, udp] },
    have: { ports: [tcp, udp] },
    fields: ports,
    differs: undefined,
  },
  {
    title: 'such an item after the one that spells its key',
    want: { ports: [udp, { port: 53 }] },
    have: { ports: [udp, tcp] },
    fields: ports,
    differs: undefined,
  },
  {
    title: 'an atomic list as wanted',
    want: { args: ['a', 'b'] },
    have: { args: ['a', 'b'] },
    fields: { 'f:args': leaf },
    differs: undefined,
  },
  {
    title: 'an atomic list with one more',
    want: { args: ['a'] },
    have: { args: ['a', 'b'] },
    fields: { 'f:args': leaf },
    differs: 'args',
  },
  {
    title: 'an atomic item with a field that we stopped sending',
    want: { tolerations: [{ key: 'x' }] },
    have: { tolerations: [{ key: 'x', tolerationSeconds: 3 }] },
    fields: { 'f:tolerations': leaf },
    differs: 'tolerations',
  },
  {
    title: 'a default inside an atomic value',
    want: { valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    have: { valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    fields: { 'f:valueFrom': { 'f:fieldRef': leaf } },
    differs: undefined,
  },
  {
    title: 'an atomic map with another key',
    want: { selector: { a: 'b' } },
    have: { selector: { a: 'b', c: 'd' } },
    fields: { 'f:selector': leaf },
    differs: 'selector',
  },
  {
    title: 'empty values that the server leaves out',
    want: { env: [{ name: 'A', value: '' }, b], hostNetwork: false, command: [] },
    have: { env: [{ name: 'A' }, b] },
    fields: { ...env, 'f:hostNetwork': leaf, 'f:command': leaf },
    differs: undefined,
  },
  {
    title: 'an empty object',
    want: { emptyDir: {} },
    have: { emptyDir: {} },
    fields: { 'f:emptyDir': leaf },
    differs: undefined,
  },
  {
    title: 'a removed label that every JavaScript object has a property of',
    want: { labels: { a: 'b' } },
    have: { labels: { a: 'b', constructor: 'x' } },
    fields: { 'f:labels': { 'f:a': leaf, 'f:constructor': leaf } },
    differs: 'labels.constructor',
  },
  {
    title: 'resources finer than a thousandth, which is what is stored of them',
    want: { resources: { limits: { cpu: '1u' } } },
    have: { resources: { limits: { cpu: '1m' } } },
    fields: { 'f:resources': { 'f:limits': { 'f:cpu': leaf } } },
    differs: undefined,
  },
  {
    title: 'a set in any order, with one of others',
    want: { finalizers: ['b', 'a'] },
    have: { finalizers: ['a', 'x', 'b'] },
    fields: { 'f:finalizers': { 'v:"a"': {}, 'v:"b"': {} } },
    differs: undefined,
  },
  {
    title: 'a set that lost one of ours',
    want: { finalizers: ['a', 'b'] },
    have: { finalizers: ['a'] },
    fields: { 'f:finalizers': { 'v:"a"': {}, 'v:"b"': {} } },
    differs: 'finalizers',
  },
];

describe('firstDifference', () => {
  for (const { title, want, have, fields, differs } of cases) {
    it(`finds ${differs ?? 'nothing'} for ${title}`, () => {
      const object = live(have, fields);
      assert.equal(firstDifference(intent(want), object, owner), differs);
      const managedFields = object.metadata.managedFields?.map(withFieldsAsText);
      assert.equal(typeof managedFields?.[1]?.fieldsV1, 'string');
      const stored = { ...object, metadata: { ...object.metadata, managedFields: managedFields ?? [] } };
      assert.equal(firstDifference(intent(want), stored, owner), differs);
    });
  }

  it('compares labels and owner references, not the identity', () => {
    const references = [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: 'z', controller: true }];
    const fields = { 'f:metadata': { 'f:labels': { 'f:a': leaf }, 'f:ownerReferences': { 'k:{"uid":"z"}': {} } } };
    const have = live({}, fields, { labels: { a: 'b', foreign: 'c' }, ownerReferences: references });
    const want = intent({}, { labels: { a: 'b' }, ownerReferences: references });
    assert.equal(firstDifference(want, have, owner), undefined);
    assert.equal(firstDifference(intent({}, { labels: { a: 'b' } }), have, owner), 'metadata.ownerReferences');
    assert.equal(firstDifference(intent({}), have, owner), 'metadata');
  });

  it('looks at our entry for this subresource and version alone', () => {
    const have = live({ status: { x: 1 } }, { 'f:status': { 'f:x': leaf } });
    const want = intent({ status: { x: 1 } });
    assert.equal(firstDifference(want, have, owner), undefined);
    assert.equal(firstDifference(want, have, { ...owner, subresource: 'status' }), 'metadata.managedFields');
    assert.equal(firstDifference(want, have, { fieldManager: 'nobody' }), 'metadata.managedFields');
    assert.equal(firstDifference({ ...want, apiVersion: 'v2' }, have, owner), 'metadata.managedFields');
  });

  const name = fc.stringMatching(/^[a-z]{1,4}$/);
  const tree = fc.letrec<{ node: unknown; map: Record<string, unknown> }>((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.integer({ min: 1 }), fc.string({ minLength: 1 }), tie('map')),
    map: fc.dictionary(name, tie('node'), { minKeys: 1, maxKeys: 4 }),
  })).map;

  function fieldsOf(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return leaf;
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [`f:${key}`, fieldsOf(child)]));
  }

  it('finds nothing in what the server stored for the intent, whatever others added', () => {
    fc.assert(
      fc.property(tree, fc.dictionary(fc.stringMatching(/^[A-Z]{1,3}$/), fc.string()), (spec, foreign) => {
        const have = live({ spec: { ...spec, ...foreign } }, { 'f:spec': fieldsOf(spec) });
        assert.equal(firstDifference(intent({ spec }), have, owner), undefined);
      }),
    );
  });

  it('finds a difference in any leaf that changed or is no longer sent', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.boolean(), (spec, pick, drop) => {
        const have = live({ spec }, { 'f:spec': fieldsOf(spec) });
        const changed = structuredClone(spec);
        const leaves: [Record<string, unknown>, string][] = [];
        collectLeaves(changed, leaves);
        const [parent, key] = leaves[pick % leaves.length] ?? [changed, ''];
        if (drop) delete parent[key];
        else parent[key] = { another: 'value' };
        assert.notEqual(firstDifference(intent({ spec: changed }), have, owner), undefined);
      }),
    );
  });
});

function collectLeaves(node: Record<string, unknown>, leaves: [Record<string, unknown>, string][]): void {
  for (const [key, child] of Object.entries(node)) {
    if (typeof child === 'object' && child !== null) collectLeaves(child as Record<string, unknown>, leaves);
    else leaves.push([node, key]);
  }
}
