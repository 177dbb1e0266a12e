import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { load } from 'js-yaml';
import { describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { podTemplateOf } from './pod-template.ts';
import { hashOfInputs } from './template-inputs.ts';

const CRD = path.join(import.meta.dirname, '../../../../crds/modelservice.yaml');

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

describe('hashOfInputs', () => {
  const base = hashOfInputs(sampleService());

  const fed: readonly (readonly [string, SpecParts])[] = [
    ['model.uri', { model: { uri: 'file:///other' } }],
    ['model.digest', { model: { digest: 'sha256:0' } }],
    ['server.image', { server: { image: 'mine' } }],
    ['server.env', { server: { env: [{ name: 'A', value: 'b' }] } }],
    ['server.resources', { server: { resources: { limits: { cpu: 1 } } } }],
    ['gpu', { gpu: { count: 1, resourceName: 'nvidia.com/gpu' } }],
    ['pod', { pod: { nodeSelector: { disk: 'ssd' } } }],
    ['batching, with all its defaults', { batching: { maxBatchSize: 32, maxDelay: '2ms', maxQueueSize: 256 } }],
  ];
  for (const [title, spec] of fed) {
    it(`changes with ${title}`, () => assert.notEqual(hashOfInputs(sampleService(spec)), base));
  }

  it('differs between services of one spec, whose pods carry their names', () => {
    const service = sampleService();
    assert.notEqual(hashOfInputs({ ...service, metadata: { name: 'other' } }), base);
  });

  const others: readonly (readonly [string, SpecParts])[] = [
    ['the size', { scaling: { minReplicas: 5, maxReplicas: 8 } }],
    ['suspend', { suspend: true }],
    ['the budget', { availability: { podDisruptionBudget: { enabled: false, maxUnavailable: 2 } } }],
    ['updatePolicy', { server: { updatePolicy: 'Always' } }],
  ];
  for (const [title, spec] of others) {
    it(`stays with ${title}, which changes no pod`, () => {
      const service = sampleService(spec);
      assert.equal(hashOfInputs(service), base);
      assert.deepEqual(podTemplateOf(service, 'image'), podTemplateOf(sampleService(), 'image'));
    });
  }

  it('does not depend on the order in which fields were written', () => {
    const written = sampleService({ server: { resources: { limits: { cpu: 1, memory: '1Gi' } } } });
    const reversed = sampleService({ server: { resources: { limits: { memory: '1Gi', cpu: 1 } } } });
    assert.equal(hashOfInputs(written), hashOfInputs(reversed));
  });

  it('leaves out what a newer CRD fills in and this operator does not know', () => {
    const { spec, ...service } = sampleService();
    const newer = { ...spec, server: { ...spec.server, requestTimeout: '30s' }, warmth: { level: 3 } };
    assert.equal(hashOfInputs({ ...service, spec: newer }), base);
  });

  it('is the same before and after the CRD got a field, for each field with a default', async () => {
    const crd = load(await readFile(CRD, 'utf8')) as {
      spec: { versions: readonly { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
    };
    const sections = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {};
    const full = {
      ...sampleService({
        gpu: { count: 1, resourceName: 'nvidia.com/gpu' },
        batching: { maxBatchSize: 32, maxDelay: '2ms', maxQueueSize: 256 },
      }),
    };
    const spec = full.spec as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    let checked = 0;
    for (const [section, { properties = {} }] of Object.entries(sections)) {
      for (const [field, { default: value }] of Object.entries(properties)) {
        if (value === undefined) continue;
        const { [field]: _, ...without } = spec[section] ?? {};
        const filledIn = { ...full, spec: { ...full.spec, [section]: { ...without, [field]: value } } };
        const before = { ...full, spec: { ...full.spec, [section]: without } };
        assert.equal(
          hashOfInputs(filledIn),
          hashOfInputs(before),
          `write the default of ${section}.${field} in FIELDS`,
        );
        checked++;
      }
    }
    assert.ok(checked >= 9, `only ${checked} fields were found in the CRD`);
  });
});
