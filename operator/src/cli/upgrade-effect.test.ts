import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Deployment } from '../modelservice/live-objects.ts';
import { chooseTemplate, type RenderTemplate } from '../modelservice/plan/stored-template.ts';
import { type SpecParts, sampleDeployment, sampleService } from '../modelservice/sample.ts';
import { upgradeEffect } from './upgrade-effect.ts';

const old = { wasm: 'server:1', tensorflow: 'server:1-tensorflow' };
const next = { wasm: 'server:2', tensorflow: 'server:2-tensorflow' };
const render: RenderTemplate = (_source, image) => ({ spec: { containers: [{ name: 'server', image }] } });
const fieldsV1 = {
  'f:spec': {
    'f:template': {
      'f:metadata': { 'f:labels': { 'f:modelservice.dev/revision': {} } },
      'f:spec': { 'f:containers': { 'k:{"name":"server"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    },
  },
};

/** As the operator with the old images made it. */
function made({ image = 'server:1', remembers = true } = {}): Deployment {
  const { annotation, revision = '' } = chooseTemplate(sampleService(), undefined, old, render) ?? {};
  const deployment = sampleDeployment({
    ...(annotation !== undefined && remembers ? { annotations: { 'modelservice.dev/pod-template': annotation } } : {}),
    managedFields: [{ manager: 'modelservice', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1 }],
  });
  const template = {
    metadata: { labels: { 'modelservice.dev/revision': revision } },
    spec: { containers: [{ name: 'server', image }] },
  };
  return { ...deployment, spec: { template } };
}

describe('upgradeEffect', () => {
  const cases: readonly (readonly [string, SpecParts, Deployment | undefined, boolean, string])[] = [
    ['another version', {}, made(), false, 'nothing'],
    ['a change of size', { scaling: { minReplicas: 3 } }, made(), false, 'nothing'],
    [
      'updatePolicy Always',
      { server: { updatePolicy: 'Always' } },
      made(),
      true,
      'image server:1 → server:2 (updatePolicy Always)',
    ],
    [
      'a spec that is not rolled out yet',
      { server: { logLevel: 'Debug' } },
      made(),
      true,
      'image server:1 → server:2 (spec changed)',
    ],
    [
      'a Deployment without a template',
      {},
      made({ remembers: false }),
      true,
      'image server:1 → server:2 (the Deployment carries no template)',
    ],
    [
      'a foreign image',
      {},
      made({ image: 'theirs' }),
      true,
      'image theirs → server:1 (somebody changed the Deployment)',
    ],
    ['no Deployment', {}, undefined, false, 'it has no pods yet'],
    [
      'no image',
      { gpu: { count: 1, resourceName: 'nvidia.com/gpu' } },
      made(),
      false,
      'this operator has no server image for GPUs',
    ],
  ];
  for (const [title, spec, deployment, rolls, reason] of cases) {
    it(`says of ${title}: ${reason}`, () =>
      assert.deepEqual(upgradeEffect(sampleService(spec), deployment, next, render), { rolls, reason }));
  }
});
