import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { RESOURCES } from './support/resource-types.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const classes = `test-${randomBytes(4).toString('hex')}`;

/** Cluster-scoped things that pods may name. */
const CLUSTER_OBJECTS = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: classes }, handler: 'nvidia' },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: classes }, value: 1000 },
  ],
};

describe('The pods of a ModelService', () => {
  const namespace = useNamespace('pods');
  useOperator(() => ({
    namespaces: [namespace()],
    args: ['--server-image-tensorflow-gpu=modelservice-server:test-tensorflow-gpu'],
  }));
  before('make the classes that pods name', () =>
    kubectl(['apply', '-f', '-'], { input: JSON.stringify(CLUSTER_OBJECTS) }),
  );
  after('delete them', () =>
    kubectl(['delete', '--wait=false', '-f', '-'], { input: JSON.stringify(CLUSTER_OBJECTS) }),
  );

  /** The one pod that the ModelService gets, as the API server admitted it. */
  async function podOf(name: string, spec: Readonly<Record<string, unknown>>): Promise<AnyObject> {
    await applyManifest(namespace(), modelService(name, spec));
    const [pod] = await eventually(
      () => testApi().list(RESOURCES.pods, { namespace: namespace(), labelSelector: `modelservice.dev/name=${name}` }),
      { because: `${name} has its pod`, until: (pods) => pods.length === 1 },
    );
    assert.ok(pod);
    return pod;
  }

  const server = (pod: AnyObject, ...path: readonly (string | number)[]): unknown =>
    field(pod, 'spec', 'containers', 0, ...path);
  const config = (pod: AnyObject): unknown => JSON.parse(String(server(pod, 'env', 0, 'value')));

  it('pass the restricted pod security standard', async () => {
    await testApi().mergePatch(
      RESOURCES.namespaces,
      { name: namespace() },
      { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    );
    const pod = await podOf('restricted', {});
    assert.equal(field(pod, 'spec', 'automountServiceAccountToken'), false);
    assert.deepEqual(server(pod, 'securityContext'), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
    const mounts = server(pod, 'volumeMounts') as readonly { readonly mountPath: string }[];
    assert.deepEqual(
      mounts.map(({ mountPath }) => mountPath),
      ['/tmp', '/var/cache/modelservice'],
      'no token is mounted, and what has to be written has a place',
    );
  });

  it('are told what to serve, and get the threads that their CPU limit allows', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const pod = await podOf('configured', {
      model: { name: 'Digits.v2', version: '7', uri: 'npm:digits@1.0.0/model', digest, format: 'GraphModel' },
      server: { engine: 'TensorFlow', logLevel: 'Debug', resources: { limits: { cpu: '1500m', memory: '1Gi' } } },
    });
    assert.equal(server(pod, 'image'), 'modelservice-server:test-tensorflow');
    assert.deepEqual(config(pod), {
      version: 1,
      server: {
        logLevel: 'Debug',
        engineThreads: 2,
        drainTimeoutMs: 30_000,
        cacheDir: '/var/cache/modelservice',
      },
      models: [
        {
          name: 'Digits.v2',
          version: '7',
          uri: 'npm:digits@1.0.0/model',
          digest,
          format: 'GraphModel',
          engine: 'TensorFlow',
        },
      ],
    });
    assert.deepEqual(server(pod, 'resources'), {
      limits: { cpu: '1500m', memory: '1Gi' },
      requests: { cpu: '1500m', memory: '1Gi' },
    });
  });

  it('get the GPUs that were asked for, the image for them and the toleration', async () => {
    const product = 'NVIDIA-A100-SXM4-80GB';
    const pod = await podOf('gpu', { gpu: { count: 2, resourceName: 'nvidia.com/mig-3g.40gb', product } });
    assert.equal(server(pod, 'image'), 'modelservice-server:test-tensorflow-gpu');
    const gpus = { 'nvidia.com/mig-3g.40gb': '2' };
    assert.deepEqual(server(pod, 'resources'), { limits: gpus, requests: gpus });
    assert.equal(field(config(pod), 'server', 'requireGPU'), true);
    const tolerations = field(pod, 'spec', 'tolerations') as readonly Readonly<Record<string, unknown>>[];
    assert.deepEqual(tolerations[0], { key: 'nvidia.com/mig-3g.40gb', operator: 'Exists', effect: 'NoSchedule' });
    assert.deepEqual(field(pod, 'spec', 'nodeSelector'), { 'nvidia.com/gpu.product': product });
  });

  it('get the GPU of a claim, which the server insists on', async () => {
    const claims = [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }];
    const pod = await podOf('claimed', { gpu: { resourceClaim: 'gpu' }, pod: { resourceClaims: claims } });
    assert.deepEqual(field(pod, 'spec', 'resourceClaims'), claims);
    assert.deepEqual(server(pod, 'resources'), { claims: [{ name: 'gpu' }] });
    assert.equal(server(pod, 'image'), 'modelservice-server:test-tensorflow-gpu');
    assert.equal(field(config(pod), 'server', 'requireGPU'), true);
  });

  it('wait for the model before they are ready, and drain before they end', async () => {
    const pod = await podOf('probed', { server: { startupTimeout: '1h30m' }, availability: { drainTimeout: '2m' } });
    const probe = (name: string, key: string): unknown => server(pod, name, key);
    assert.equal(
      Number(probe('startupProbe', 'periodSeconds')) * Number(probe('startupProbe', 'failureThreshold')),
      5400,
    );
    assert.equal(server(pod, 'startupProbe', 'httpGet', 'path'), '/v2/health/ready');
    assert.equal(server(pod, 'readinessProbe', 'httpGet', 'path'), '/v2/health/ready');
    assert.equal(server(pod, 'livenessProbe', 'httpGet', 'path'), '/v2/health/live');
    const sleep = Number(server(pod, 'lifecycle', 'preStop', 'sleep', 'seconds'));
    const drain = Number(field(config(pod), 'server', 'drainTimeoutMs')) / 1000;
    assert.equal(drain, 120);
    assert.ok(Number(field(pod, 'spec', 'terminationGracePeriodSeconds')) > sleep + drain);
  });

  it('are spread over nodes unless the manifest says otherwise', async () => {
    const pod = await podOf('spread', {});
    const [constraint] = field(pod, 'spec', 'topologySpreadConstraints') as readonly Readonly<
      Record<string, unknown>
    >[];
    assert.partialDeepStrictEqual(constraint, {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      matchLabelKeys: ['pod-template-hash'],
    });
    const left = await podOf('left-to-the-cluster', { pod: { topologySpreadConstraints: [] } });
    assert.equal(field(left, 'spec', 'topologySpreadConstraints'), undefined);
  });

  it('mount the ConfigMap of a configmap:// model, read-only', async () => {
    const pod = await podOf('mounted', { model: { uri: 'configmap://digits' } });
    const mounts = server(pod, 'volumeMounts') as readonly Readonly<Record<string, unknown>>[];
    assert.deepEqual(mounts[2], { name: 'model', mountPath: '/mnt/configmaps/digits', readOnly: true });
    assert.equal(field(pod, 'spec', 'volumes', 2, 'configMap', 'name'), 'digits');
  });

  it('get every field of spec.pod and spec.server.env', async () => {
    await kubectl(['create', 'serviceaccount', 'vision', '--namespace', namespace()]);
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 10,
            podAffinityTerm: {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchLabels: { tier: 'model' } },
            },
          },
        ],
      },
    };
    const spread = {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { tier: 'model' } },
    };
    const toleration = { key: 'team', operator: 'Equal', value: 'vision', effect: 'NoExecute', tolerationSeconds: 60 };
    const env = [
      { name: 'LOG_FORMAT', value: 'json' },
      { name: 'EMPTY', value: '' },
      { name: 'POD', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'keys', key: 'token', optional: true } } },
    ];
    const pod = await podOf('all-fields', {
      server: { env },
      pod: {
        labels: { tier: 'model' },
        annotations: { 'example.com/owner': 'vision' },
        imagePullSecrets: [{ name: 'registry' }],
        serviceAccountName: 'vision',
        nodeSelector: { disk: 'ssd' },
        tolerations: [toleration],
        affinity,
        topologySpreadConstraints: [spread],
        priorityClassName: classes,
        runtimeClassName: classes,
      },
    });
    assert.equal(pod.metadata.labels?.tier, 'model');
    assert.equal(pod.metadata.annotations?.['example.com/owner'], 'vision');
    const { imagePullSecrets, serviceAccountName, nodeSelector, priorityClassName, runtimeClassName } = pod.spec ?? {};
    assert.deepEqual(
      { imagePullSecrets, serviceAccountName, nodeSelector, priorityClassName, runtimeClassName },
      {
        imagePullSecrets: [{ name: 'registry' }],
        serviceAccountName: 'vision',
        nodeSelector: { disk: 'ssd' },
        priorityClassName: classes,
        runtimeClassName: classes,
      },
    );
    assert.deepEqual(field(pod, 'spec', 'affinity'), affinity);
    assert.deepEqual(field(pod, 'spec', 'topologySpreadConstraints'), [spread]);
    assert.deepEqual(field(pod, 'spec', 'tolerations', 0), toleration);
    const [, ...added] = server(pod, 'env') as readonly unknown[];
    assert.deepEqual(added, [env[0], { name: 'EMPTY' }, env[2], env[3]]);
  });
});
