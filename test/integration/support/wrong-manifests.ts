import { type Manifest, modelService } from './manifests.ts';

/** A manifest that the API server has to refuse. */
export interface WrongManifest {
  readonly title: string;
  readonly manifest: Manifest;
  /** The field that the message has to name. */
  readonly field: string;
  /** What the message has to say about the way out. */
  readonly fix: RegExp;
}

const withModel = (model: Readonly<Record<string, unknown>>): Manifest =>
  modelService('wrong', { model: { uri: 'file:///examples/mnist/model', ...model } });
const withUri = (uri: string): Manifest => modelService('wrong', { model: { uri } });
const withServer = (server: Readonly<Record<string, unknown>>): Manifest => modelService('wrong', { server });
const withPod = (pod: Readonly<Record<string, unknown>>): Manifest => modelService('wrong', { pod });
const withScaling = (scaling: Readonly<Record<string, unknown>>): Manifest =>
  modelService('wrong', { scaling, server: { resources: { requests: { cpu: '500m' } } } });
const withBatching = (batching: Readonly<Record<string, unknown>>): Manifest => modelService('wrong', { batching });
const cpu = { type: 'Cpu', target: { averageUtilization: 70 } };

/** Wrong manifests of a careless model owner, and what the refusal has to say. */
export const wrongManifests: readonly WrongManifest[] = [
  {
    title: 'a name with a dot',
    manifest: modelService('a.b'),
    field: 'metadata.name',
    fix: /only lowercase letters, digits and '-'/,
  },
  {
    title: 'a name that begins with a digit',
    manifest: modelService('1abc'),
    field: 'metadata.name',
    fix: /begin with a lowercase letter/,
  },
  { title: 'a name with two dashes', manifest: modelService('a--b'), field: 'metadata.name', fix: /write one '-'/ },
  {
    title: 'a name of 41 characters',
    manifest: modelService('a'.repeat(41)),
    field: 'metadata.name',
    fix: /at most 40 characters/,
  },
  { title: 'no model', manifest: { ...modelService('wrong'), spec: {} }, field: 'spec.model', fix: /Required value/ },
  { title: 'no uri', manifest: modelService('wrong', { model: {} }), field: 'spec.model.uri', fix: /Required value/ },
  {
    title: 'an unknown scheme',
    manifest: withUri('s3://bucket/model'),
    field: 'spec.model.uri',
    fix: /begin with file:\/\/\/, https:\/\//,
  },
  {
    title: 'a relative file URI',
    manifest: withUri('file://models/a'),
    field: 'spec.model.uri',
    fix: /begin with file:\/\/\//,
  },
  {
    title: 'a file URI that climbs up',
    manifest: withUri('file:///models/../etc'),
    field: 'spec.model.uri',
    fix: /write the absolute path/,
  },
  {
    title: 'a URI with a space',
    manifest: withUri('file:///my models/a'),
    field: 'spec.model.uri',
    fix: /write %20 for a space/,
  },
  {
    title: 'a password in a URI',
    manifest: withUri('https://me:secret@example.com/m'),
    field: 'spec.model.uri',
    fix: /no user or password/,
  },
  { title: 'a URL without a host', manifest: withUri('https:///model'), field: 'spec.model.uri', fix: /write a host/ },
  {
    title: 'an npm tag',
    manifest: withUri('npm:models@latest/mnist'),
    field: 'spec.model.uri',
    fix: /npm:my-models@1\.2\.3\/mnist/,
  },
  {
    title: 'an npm range',
    manifest: withUri('npm:models@^1.2.0/mnist'),
    field: 'spec.model.uri',
    fix: /exact version/,
  },
  {
    title: 'an npm package without a version',
    manifest: withUri('npm:models'),
    field: 'spec.model.uri',
    fix: /exact version/,
  },
  {
    title: 'a ConfigMap with a key',
    manifest: withUri('configmap://mnist/model.json'),
    field: 'spec.model.uri',
    fix: /nothing after it/,
  },
  {
    title: 'a digest of another kind',
    manifest: withModel({ digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }),
    field: 'spec.model.digest',
    fix: /modelservice digest URI/,
  },
  {
    title: 'a digest in capitals',
    manifest: withModel({ digest: `sha256:${'A'.repeat(64)}` }),
    field: 'spec.model.digest',
    fix: /64 lowercase hex digits/,
  },
  {
    title: 'a version that is no integer',
    manifest: withModel({ version: 'v2' }),
    field: 'spec.model.version',
    fix: /an integer .* in quotes/,
  },
  {
    title: 'a model name with a slash',
    manifest: withModel({ name: 'a/b' }),
    field: 'spec.model.name',
    fix: /mnist-v2/,
  },
  {
    title: 'a format that is not served',
    manifest: withModel({ format: 'SavedModel' }),
    field: 'spec.model.format',
    fix: /supported values: "Auto", "LayersModel", "GraphModel"/,
  },
  {
    title: 'an engine that there is not',
    manifest: withServer({ engine: 'WebGL' }),
    field: 'spec.server.engine',
    fix: /supported values: "Auto", "TensorFlow", "Wasm", "JavaScript"/,
  },
  {
    title: 'a startup timeout with a fraction',
    manifest: withServer({ startupTimeout: '1.5m' }),
    field: 'spec.server.startupTimeout',
    fix: /90s, 10m or 1h30m/,
  },
  {
    title: 'a startup timeout of nothing',
    manifest: withServer({ startupTimeout: '0s' }),
    field: 'spec.server.startupTimeout',
    fix: /between 1s and 24h/,
  },
  {
    title: 'an interruption allowed to a strategy that never asks',
    manifest: modelService('wrong', { rollout: { strategy: 'Surge', allowInterruption: true } }),
    field: 'spec.rollout.allowInterruption',
    fix: /set strategy to Auto/,
  },
  {
    title: 'a rollout that fails before a pod may have started',
    manifest: modelService('wrong', { rollout: { progressDeadline: '10m' } }),
    field: 'spec.rollout.progressDeadline',
    fix: /spec.server.startupTimeout to start: write a longer time/,
  },
  {
    title: 'a rollout that may take no time',
    manifest: modelService('wrong', { rollout: { progressDeadline: 'soon' } }),
    field: 'spec.rollout.progressDeadline',
    fix: /between 1s and 48h/,
  },
  {
    title: 'a variable of ours',
    manifest: withServer({ env: [{ name: 'MODELSERVICE_CONFIG', value: '{}' }] }),
    field: 'spec.server.env[0].name',
    fix: /choose another name/,
  },
  {
    title: 'one variable twice',
    manifest: withServer({ env: [{ name: 'A' }, { name: 'A' }] }),
    field: 'spec.server.env[1]',
    fix: /Duplicate value/,
  },
  {
    title: 'a variable with value and valueFrom',
    manifest: withServer({ env: [{ name: 'A', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    field: 'spec.server.env[0]',
    fix: /not both/,
  },
  {
    title: 'a variable with a space in its name',
    manifest: withServer({ env: [{ name: 'MY VAR' }] }),
    field: 'spec.server.env[0].name',
    fix: /LOG_FORMAT/,
  },
  {
    title: 'a quantity in words',
    manifest: withServer({ resources: { limits: { cpu: '2 cores' } } }),
    field: 'spec.server.resources.limits[cpu]',
    fix: /500m, 2 or 4Gi/,
  },
  {
    title: 'a request above its limit',
    manifest: withServer({ resources: { requests: { memory: '2Gi' }, limits: { memory: '512Mi' } } }),
    field: 'spec.server.resources',
    fix: /lower the request or raise the limit/,
  },
  {
    title: 'an image with a space',
    manifest: withServer({ image: 'server 1.0' }),
    field: 'spec.server.image',
    fix: /registry\.example\/server:1\.2\.3/,
  },
  {
    title: 'no GPU at all',
    manifest: modelService('wrong', { gpu: { count: 0 } }),
    field: 'spec.gpu.count',
    fix: /leave out spec\.gpu/,
  },
  {
    title: 'a GPU for Wasm',
    manifest: modelService('wrong', { gpu: { count: 1 }, server: { engine: 'Wasm' } }),
    field: 'spec.gpu',
    fix: /set spec\.server\.engine to TensorFlow/,
  },
  {
    title: 'a GPU for JavaScript',
    manifest: modelService('wrong', { gpu: { count: 1 }, server: { engine: 'JavaScript' } }),
    field: 'spec.gpu',
    fix: /leave out spec\.gpu/,
  },
  {
    title: 'a GPU resource without a vendor',
    manifest: modelService('wrong', { gpu: { count: 1, resourceName: 'gpu' } }),
    field: 'spec.gpu.resourceName',
    fix: /nvidia\.com\/gpu/,
  },
  {
    title: 'GPUs in two places',
    manifest: modelService('wrong', { gpu: { count: 1 }, server: { resources: { limits: { 'nvidia.com/gpu': 2 } } } }),
    field: 'spec.server.resources.limits',
    fix: /spec\.gpu\.count/,
  },
  {
    title: 'the least above the most',
    manifest: withScaling({ minReplicas: 3, maxReplicas: 2, metrics: [cpu] }),
    field: 'spec.scaling.minReplicas',
    fix: /lower minReplicas or raise maxReplicas/,
  },
  {
    title: 'metrics for a fixed size',
    manifest: withScaling({ metrics: [cpu] }),
    field: 'spec.scaling.metrics',
    fix: /add maxReplicas/,
  },
  {
    title: 'behavior for a fixed size',
    manifest: withScaling({ behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }),
    field: 'spec.scaling.behavior',
    fix: /add maxReplicas/,
  },
  {
    title: 'scaling from zero without a word on when to go there',
    manifest: withScaling({ minReplicas: 0, maxReplicas: 2 }),
    field: 'spec.scaling.minReplicas',
    fix: /add idleAfter, for example 10m.*spec\.suspend/,
  },
  {
    title: 'going to zero with at least one pod',
    manifest: withScaling({ minReplicas: 1, maxReplicas: 2, idleAfter: '10m' }),
    field: 'spec.scaling.idleAfter',
    fix: /add maxReplicas and minReplicas 0/,
  },
  {
    title: 'going to zero with a fixed size',
    manifest: withScaling({ minReplicas: 0, idleAfter: '10m' }),
    field: 'spec.scaling.idleAfter',
    fix: /add maxReplicas and minReplicas 0/,
  },
  {
    title: 'going to zero between two requests',
    manifest: withScaling({ minReplicas: 0, maxReplicas: 2, idleAfter: '9s' }),
    field: 'spec.scaling.idleAfter',
    fix: /at least 10s, for example 10m/,
  },
  {
    title: 'going to zero after a word',
    manifest: withScaling({ minReplicas: 0, maxReplicas: 2, idleAfter: 'soon' }),
    field: 'spec.scaling.idleAfter',
    fix: /at least 10s, for example 10m/,
  },
  {
    title: 'scaling on Cpu without a CPU request',
    manifest: modelService('wrong', { scaling: { maxReplicas: 2, metrics: [cpu] } }),
    field: 'spec.server.resources.requests',
    fix: /requests\.cpu, for example 500m/,
  },
  {
    title: 'a metric that there is not',
    manifest: withScaling({ maxReplicas: 2, metrics: [{ ...cpu, type: 'Memory' }] }),
    field: 'spec.scaling.metrics[0].type',
    fix: /supported values: "InFlightRequests", "RequestsPerSecond", "QueueDepth", "Cpu"/,
  },
  {
    title: 'a number of requests as a share',
    manifest: withScaling({ maxReplicas: 2, metrics: [{ ...cpu, type: 'InFlightRequests' }] }),
    field: 'spec.scaling.metrics[0].target',
    fix: /write averageValue, for example 2/,
  },
  {
    title: 'a share of the CPU as a number',
    manifest: withScaling({ maxReplicas: 2, metrics: [{ type: 'Cpu', target: { averageValue: 2 } }] }),
    field: 'spec.scaling.metrics[0].target',
    fix: /write averageUtilization/,
  },
  {
    title: 'aiming at no requests',
    manifest: withScaling({ maxReplicas: 2, metrics: [{ type: 'RequestsPerSecond', target: { averageValue: '0' } }] }),
    field: 'spec.scaling.metrics[0].target.averageValue',
    fix: /greater than zero/,
  },
  {
    title: 'a queue measured in percent',
    manifest: withScaling({ maxReplicas: 2, metrics: [{ ...cpu, type: 'QueueDepth' }] }),
    field: 'spec.scaling.metrics[0].target',
    fix: /write averageValue, for example 2/,
  },
  {
    title: 'batches of one',
    manifest: withBatching({ maxBatchSize: 1 }),
    field: 'spec.batching.maxBatchSize',
    fix: /from 2 to 1024, or leave out spec\.batching/,
  },
  {
    title: 'batches without end',
    manifest: withBatching({ maxBatchSize: 1025, maxQueueSize: 2000 }),
    field: 'spec.batching.maxBatchSize',
    fix: /from 2 to 1024/,
  },
  {
    title: 'a wait that is no duration',
    manifest: withBatching({ maxDelay: '2' }),
    field: 'spec.batching.maxDelay',
    fix: /from 0s to 1s, for example 2ms/,
  },
  {
    title: 'a wait of a minute',
    manifest: withBatching({ maxDelay: '1m' }),
    field: 'spec.batching.maxDelay',
    fix: /from 0s to 1s/,
  },
  {
    title: 'a queue that takes nobody',
    manifest: withBatching({ maxQueueSize: 0 }),
    field: 'spec.batching.maxQueueSize',
    fix: /from 1 to 65536/,
  },
  {
    title: 'a queue shorter than a batch',
    manifest: withBatching({ maxBatchSize: 64, maxQueueSize: 63 }),
    field: 'spec.batching.maxQueueSize',
    fix: /raise maxQueueSize to maxBatchSize or more/,
  },
  {
    title: 'the same metric twice',
    manifest: withScaling({ maxReplicas: 2, metrics: [cpu, cpu] }),
    field: 'spec.scaling.metrics[1]',
    fix: /Duplicate value/,
  },
  {
    title: 'a product of a vendor whose nodes are labelled otherwise',
    manifest: modelService('wrong', { gpu: { count: 1, resourceName: 'amd.com/gpu', product: 'MI300X' } }),
    field: 'spec.gpu.product',
    fix: /write their label in spec\.pod\.nodeSelector/,
  },
  {
    title: 'a product as a person writes it',
    manifest: modelService('wrong', { gpu: { count: 1, product: 'NVIDIA L4' } }),
    field: 'spec.gpu.product',
    fix: /for example NVIDIA-L4/,
  },
  {
    title: 'a product in two places',
    manifest: modelService('wrong', {
      gpu: { count: 1, product: 'NVIDIA-L4' },
      pod: { nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-L40S' } },
    }),
    field: 'spec.pod.nodeSelector',
    fix: /comes from spec\.gpu\.product/,
  },
  {
    title: 'a GPU by count and by claim',
    manifest: modelService('wrong', {
      gpu: { count: 1, resourceClaim: 'gpu' },
      pod: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'shared' }] },
    }),
    field: 'spec.gpu',
    fix: /write either count, .* or resourceClaim/,
  },
  {
    title: 'a GPU by a claim that there is not',
    manifest: modelService('wrong', { gpu: { resourceClaim: 'gpu' } }),
    field: 'spec.gpu.resourceClaim',
    fix: /add one of that name to spec\.pod\.resourceClaims/,
  },
  {
    title: 'a claim of nothing',
    manifest: withPod({ resourceClaims: [{ name: 'gpu' }] }),
    field: 'spec.pod.resourceClaims[0]',
    fix: /write either resourceClaimTemplateName/,
  },
  {
    title: 'a drain of two hours',
    manifest: modelService('wrong', { availability: { drainTimeout: '2h' } }),
    field: 'spec.availability.drainTimeout',
    fix: /from 0s to 1h, for example 30s/,
  },
  {
    title: 'a budget that holds up every drain',
    manifest: modelService('wrong', { availability: { podDisruptionBudget: { maxUnavailable: 0 } } }),
    field: 'spec.availability.podDisruptionBudget.maxUnavailable',
    fix: /write a number from 1 such as 2/,
  },
  {
    title: 'a budget in words',
    manifest: modelService('wrong', { availability: { podDisruptionBudget: { maxUnavailable: '2' } } }),
    field: 'spec.availability.podDisruptionBudget.maxUnavailable',
    fix: /a share from 1% to 100%/,
  },
  {
    title: 'a label of ours',
    manifest: withPod({ labels: { 'modelservice.dev/name': 'x' } }),
    field: 'spec.pod.labels',
    fix: /choose another prefix/,
  },
  {
    title: 'an app label of ours',
    manifest: withPod({ labels: { 'app.kubernetes.io/name': 'x' } }),
    field: 'spec.pod.labels',
    fix: /choose other keys/,
  },
  {
    title: 'a toleration without key and operator',
    manifest: withPod({ tolerations: [{ effect: 'NoSchedule' }] }),
    field: 'spec.pod.tolerations[0]',
    fix: /add a key/,
  },
  {
    title: 'a preference of weight 0',
    manifest: withPod({
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }] } },
    }),
    field: 'weight',
    fix: /greater than or equal to 1/,
  },
  {
    title: 'a field that there is not',
    manifest: modelService('wrong', { replicas: 3 }),
    field: 'spec.replicas',
    fix: /unknown field/,
  },
];
