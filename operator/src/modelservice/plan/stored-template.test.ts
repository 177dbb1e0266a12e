import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { POD_TEMPLATE_ANNOTATION } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';
import { type SpecParts, sampleDeployment, sampleService } from '../sample.ts';
import { podTemplateOf } from './pod-template.ts';
import { type ChosenTemplate, chooseTemplate, type RenderTemplate } from './stored-template.ts';

const old = { wasm: 'server:1-wasm', tensorflow: 'server:1-tensorflow', tensorflowGPU: 'server:1-gpu' };
const next = { wasm: 'server:2-wasm', tensorflow: 'server:2-tensorflow' };
const gpu = { count: 1, resourceName: 'nvidia.com/gpu' };

/** As a newer operator may render. */
const nextRender: RenderTemplate = (source, image) => ({ ...podTemplateOf(source, image), newer: true });

function carrying(annotation: string | undefined): Deployment {
  return sampleDeployment(annotation === undefined ? {} : { annotations: { [POD_TEMPLATE_ANNOTATION]: annotation } });
}

/** What the operator of version 1 made. */
function made(spec: SpecParts = {}): ChosenTemplate {
  const chosen = chooseTemplate(sampleService(spec), undefined, old);
  assert.ok(chosen);
  return chosen;
}

function upgraded(spec: SpecParts, live: Deployment): ChosenTemplate | undefined {
  return chooseTemplate(sampleService(spec), live, next, nextRender);
}

describe('chooseTemplate', () => {
  const first = made();

  it('keeps what the Deployment carries, whatever a newer operator would render', () => {
    assert.deepEqual(upgraded({ scaling: { minReplicas: 3 } }, carrying(first.annotation)), first);
  });

  it('keeps it where this operator has no image for it any more', () => {
    const onGPU = made({ gpu });
    assert.deepEqual(upgraded({ gpu }, carrying(onGPU.annotation)), onGPU);
    assert.equal(upgraded({ gpu }, carrying(undefined)), undefined);
  });

  const fresh = chooseTemplate(sampleService(), undefined, next, nextRender);
  const renders: readonly (readonly [string, SpecParts, string | undefined])[] = [
    ['updatePolicy Always', { server: { updatePolicy: 'Always' } }, first.annotation],
    ['no annotation', {}, undefined],
    ['an annotation that is no JSON', {}, '{'],
    ['an annotation without a template', {}, '{"inputs":""}'],
    ['an annotation that somebody edited', {}, first.annotation?.replace('server:1-wasm', 'theirs')],
    ['the annotation of a former spec', {}, made({ model: { uri: 'file:///former' } }).annotation],
  ];
  for (const [title, spec, annotation] of renders) {
    it(`renders anew with ${title}`, () => assert.deepEqual(upgraded(spec, carrying(annotation)), fresh));
  }

  it('does not adopt anything when updatePolicy goes back to OnSpecChange', () => {
    const always = upgraded({ server: { updatePolicy: 'Always' } }, carrying(first.annotation));
    assert.deepEqual(chooseTemplate(sampleService(), carrying(always?.annotation), old), always);
  });

  it('names equal templates alike, and others otherwise', () => {
    const revisionOf = (spec: SpecParts): unknown => made(spec).revision;
    assert.match(first.revision ?? '', /^[0-9a-f]{10}$/);
    assert.equal(revisionOf({ scaling: { minReplicas: 3 } }), first.revision);
    assert.notEqual(revisionOf({ server: { logLevel: 'Debug' } }), first.revision);
    assert.equal(upgraded({}, carrying(first.annotation))?.revision, first.revision);
    assert.notEqual(fresh?.revision, first.revision);
  });

  it('carries none that would not fit beside the annotations of others', () => {
    const large = made({ server: { env: [{ name: 'LARGE', value: 'x'.repeat(200 * 1024) }] } });
    assert.equal(large.annotation, undefined);
    assert.ok(Buffer.byteLength(first.annotation ?? '') < 4096, 'an ordinary one is small');
  });
});
