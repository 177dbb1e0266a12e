import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { before, describe, it } from 'mocha';
import { createManifestCheck, type ManifestCheck } from './manifest-schema.ts';
import { REPOSITORY } from './repository.ts';

const MODEL = { uri: 'file:///examples/mnist/model' };

function manifest(spec: object, metadata: object = { name: 'mnist' }): object {
  return { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService', metadata, spec: { model: MODEL, ...spec } };
}

describe('createManifestCheck', () => {
  let check: ManifestCheck;
  before(() => {
    check = createManifestCheck(load(readFileSync(REPOSITORY.crd, 'utf8')));
  });

  it('fills in the defaults of the CRD', () => {
    const { service } = check(manifest({ gpu: { count: 1 } }));
    assert.partialDeepStrictEqual(service?.spec, {
      model: { ...MODEL, version: '1', format: 'Auto' },
      server: { engine: 'Auto', logLevel: 'Info' },
      gpu: { count: 1, resourceName: 'nvidia.com/gpu' },
      scaling: { minReplicas: 1 },
      suspend: false,
    });
  });

  const accepted = [
    { because: 'metadata is the API server’s own', given: manifest({}, { name: 'a', labels: { 'a/b': 'c' } }) },
    {
      because: 'quantities are numbers or text',
      given: manifest({ server: { resources: { limits: { cpu: 2, memory: '1Gi' } } } }),
    },
    {
      because: '1000m is 1',
      given: manifest({ server: { resources: { requests: { cpu: '1000m' }, limits: { cpu: 1 } } } }),
    },
    {
      because: 'the request is there',
      given: manifest({ scaling: { maxReplicas: 3 }, server: { resources: { requests: { cpu: 1 } } } }),
    },
  ];
  for (const { because, given } of accepted) {
    it(`accepts a manifest, because ${because}`, () => assert.equal(check(given).problems, undefined));
  }

  const refused: { field: string; says: RegExp; given: object }[] = [
    { field: 'metadata.name', says: /Required value/, given: manifest({}, {}) },
    { field: 'metadata.name', says: /name of a Service/, given: manifest({}, { name: '1mnist' }) },
    { field: 'metadata.name', says: /at most 40/, given: manifest({}, { name: 'a'.repeat(41) }) },
    { field: 'metadata.name', says: /'--'/, given: manifest({}, { name: 'a--b' }) },
    { field: 'spec.model.uri', says: /Required value/, given: manifest({ model: {} }) },
    {
      field: 'spec.model.uri',
      says: /unknown scheme: begin with file/,
      given: manifest({ model: { uri: 'ftp://a/b' } }),
    },
    { field: 'spec.model.uri', says: /exact version/, given: manifest({ model: { uri: 'npm:a@latest/b' } }) },
    { field: 'spec.model.uri', says: /'\.\.'/, given: manifest({ model: { uri: 'file:///a/../b' } }) },
    {
      field: 'spec.model.digest',
      says: /64 lowercase hex/,
      given: manifest({ model: { ...MODEL, digest: 'sha256:1' } }),
    },
    { field: 'spec.model.version', says: /write "2" in quotes/, given: manifest({ model: { ...MODEL, version: 2 } }) },
    {
      field: 'spec.model.frmat',
      says: /unknown field.*format/,
      given: manifest({ model: { ...MODEL, frmat: 'Auto' } }),
    },
    {
      field: 'spec.server.engine',
      says: /supported values: "Auto", "TensorFlow", "Wasm"/,
      given: manifest({ server: { engine: 'GPU' } }),
    },
    {
      field: 'spec.server.startupTimeout',
      says: /a duration between 1s/,
      given: manifest({ server: { startupTimeout: '10' } }),
    },
    {
      field: 'spec.server.resources',
      says: /greater than the limit/,
      given: manifest({ server: { resources: { requests: { cpu: 2 }, limits: { cpu: '500m' } } } }),
    },
    {
      field: 'spec.server.resources.limits.memory',
      says: /write a quantity/,
      given: manifest({ server: { resources: { limits: { memory: '1GiB' } } } }),
    },
    {
      field: 'spec.server.resources.limits.cpu',
      says: /integer or a string/,
      given: manifest({ server: { resources: { limits: { cpu: [1] } } } }),
    },
    {
      field: 'spec.server.env[0].name',
      says: /MODELSERVICE_/,
      given: manifest({ server: { env: [{ name: 'MODELSERVICE_X' }] } }),
    },
    {
      field: 'spec.gpu',
      says: /leave out spec.gpu/,
      given: manifest({ gpu: { count: 1 }, server: { engine: 'Wasm' } }),
    },
    { field: 'spec.gpu.count', says: /1 to 64/, given: manifest({ gpu: { count: 0 } }) },
    {
      field: 'spec.scaling.minReplicas',
      says: /lower minReplicas or raise/,
      given: manifest({ scaling: { minReplicas: 3, maxReplicas: 2 } }),
    },
    {
      field: 'spec.scaling.metrics',
      says: /add maxReplicas/,
      given: manifest({ scaling: { metrics: [{ type: 'Cpu', target: { averageUtilization: 50 } }] } }),
    },
    { field: 'spec.suspend', says: /type boolean, not "yes"/, given: manifest({ suspend: 'yes' }) },
  ];
  for (const { field, says, given } of refused) {
    it(`refuses ${field} with ${says}`, () => {
      const problem = check(given).problems?.find((one) => one.field === field);
      assert.match(problem?.message ?? JSON.stringify(check(given)), says);
    });
  }

  it('tells all fields at once, and each only once', () => {
    const { problems = [] } = check(
      manifest({ model: { uri: 1, version: 1 }, server: { engine: 'x', logLevel: 'y' } }),
    );
    const fields = problems.map(({ field }) => field);
    assert.deepEqual(fields.sort(), [
      'spec.model.uri',
      'spec.model.version',
      'spec.server.engine',
      'spec.server.logLevel',
    ]);
  });
});
