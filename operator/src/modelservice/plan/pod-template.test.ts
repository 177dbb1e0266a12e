import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'mocha';
import { type SpecParts, sampleService } from '../sample.ts';
import { deploymentOf, progressDeadlineSeconds } from './deployment.ts';
import { podTemplateOf } from './pod-template.ts';
import { SURGE } from './rollout-strategy.ts';
import { serverImageOf } from './server-image.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const image = 'modelservice-server:1';

const golden: Readonly<Record<string, SpecParts>> = {
  minimal: {},
  gpu: {
    gpu: { count: 1, resourceName: 'nvidia.com/gpu', product: 'NVIDIA-L4' },
    availability: { drainTimeout: '1m500ms' },
    server: { resources: { limits: { cpu: 4, memory: '8Gi' } }, startupTimeout: '1h' },
  },
  claimed: {
    gpu: { resourceName: 'nvidia.com/gpu', resourceClaim: 'gpu' },
    pod: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] },
  },
  'config-map': {
    model: { uri: 'configmap://digits', digest: `sha256:${'0'.repeat(64)}`, name: 'digits', version: '2' },
    server: { engine: 'Wasm', logLevel: 'Debug', env: [{ name: 'A', value: 'b' }] },
  },
  additions: {
    pod: {
      labels: { team: 'vision' },
      annotations: { 'example.com/note': 'x' },
      imagePullSecrets: [{ name: 'registry' }],
      serviceAccountName: 'vision',
      nodeSelector: { disk: 'ssd', empty: '' },
      tolerations: [{ key: 'team', operator: 'Equal', value: '', effect: 'NoSchedule' }],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'zone', labelSelector: { matchLabels: { tier: '' }, matchExpressions: [] } },
          ],
        },
      },
      topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
      priorityClassName: 'high',
      runtimeClassName: 'nvidia',
    },
  },
};

describe('podTemplateOf', () => {
  for (const [name, spec] of Object.entries(golden)) {
    it(`renders fixtures/${name}.json; a difference rolls every such service, so change it knowingly`, async () => {
      const expected: unknown = JSON.parse(await readFile(path.join(fixtures, `${name}.json`), 'utf8'));
      assert.deepEqual(podTemplateOf(sampleService(spec), image), expected);
    });
  }

  it('leaves the spread to the cluster where the manifest says so', () => {
    const { spec } = podTemplateOf(sampleService({ pod: { topologySpreadConstraints: [] } }), image);
    assert.ok(typeof spec === 'object' && spec !== null && !('topologySpreadConstraints' in spec));
  });

  it('does not depend on the order in which fields were written', () => {
    const resources = { limits: { memory: '1Gi', cpu: '2' }, requests: { memory: '1Gi', cpu: '1' } };
    const reversed = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } };
    const render = (server: SpecParts['server']): unknown =>
      podTemplateOf(sampleService(server === undefined ? {} : { server }), image);
    assert.deepEqual(render({ resources }), render({ resources: reversed }));
  });

  for (const [limit, threads] of [
    ['250m', 1],
    ['1', 1],
    ['1500m', 2],
    [3, 3],
    ['2k', 1024],
  ] as const) {
    it(`turns a CPU limit of ${limit} into ${threads} engine threads`, () => {
      const template = JSON.stringify(
        podTemplateOf(sampleService({ server: { resources: { limits: { cpu: limit } } } }), image),
      );
      assert.ok(
        template.includes(`\\"engineThreads\\":${threads},`) || template.includes(`\\"engineThreads\\":${threads}}`),
      );
    });
  }
});

describe('deploymentOf', () => {
  const chosen = { template: {}, annotation: undefined };

  it('never holds replicas: that number has a field manager of its own', () => {
    const { spec } = deploymentOf(sampleService({ scaling: { minReplicas: 4 } }), chosen, SURGE, undefined);
    assert.ok(typeof spec === 'object' && spec !== null && !('replicas' in spec));
  });

  it('gives a rollout longer than one pod may take to start', () => {
    const { spec } = deploymentOf(sampleService({ server: { startupTimeout: '1h' } }), chosen, SURGE, undefined);
    assert.deepEqual((spec as { progressDeadlineSeconds: number }).progressDeadlineSeconds, 4200);
  });
});

describe('progressDeadlineSeconds', () => {
  it('is what the manifest says, in whole seconds', () => {
    assert.equal(progressDeadlineSeconds(sampleService({ rollout: { progressDeadline: '20m500ms' } })), 1201);
  });
});

describe('serverImageOf', () => {
  const images = { wasm: 'wasm', tensorflow: 'tensorflow', tensorflowGPU: 'gpu' };
  const gpu = { count: 1, resourceName: 'nvidia.com/gpu' };
  const cases: readonly (readonly [string, SpecParts, string])[] = [
    ['the named image', { server: { image: 'mine', engine: 'TensorFlow' }, gpu }, 'mine'],
    ['the image for GPUs', { gpu }, 'gpu'],
    ['TensorFlow’s image', { server: { engine: 'TensorFlow' } }, 'tensorflow'],
    ['the small image for Auto', {}, 'wasm'],
    ['the small image for JavaScript', { server: { engine: 'JavaScript' } }, 'wasm'],
  ];
  for (const [title, spec, expected] of cases) {
    it(`takes ${title}`, () => assert.equal(serverImageOf(sampleService(spec), images), expected));
  }
});
