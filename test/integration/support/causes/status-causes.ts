import type { Cause } from './cause.ts';
import {
  deadlinePassed,
  ended,
  evicted,
  failed,
  nodeFellSilent,
  preempted,
  probeFails,
  setupFails,
  waits,
} from './report-status.ts';

const image = 'registry.example.com/server:1';
const withImage = { server: { image } };
const kubelet = { made: 'status', by: 'kubelet' } as const;
const server = { made: 'status', by: 'kubelet, with the server’s termination message' } as const;

/** What only a kubelet, or time, could make. */
export const STATUS_CAUSES: readonly Cause[] = [
  {
    name: 'image-name',
    failure: 'the image’s name cannot be one',
    ...kubelet,
    spec: withImage,
    provoke: waits(
      'InvalidImageName',
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`,
    ),
    expected: {
      reason: 'ImageNameInvalid',
      message: `The image name ${image} is not valid: correct spec.server.image.`,
    },
  },
  {
    name: 'image-missing',
    failure: 'the registry does not have the image',
    ...kubelet,
    spec: withImage,
    provoke: waits(
      'ImagePullBackOff',
      `Back-off pulling image "${image}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
    ),
    expected: {
      reason: 'ImageNotFound',
      message: `The image ${image} does not exist in its registry: correct spec.server.image.`,
    },
  },
  {
    name: 'image-denied',
    failure: 'the registry asks for credentials',
    ...kubelet,
    provoke: waits(
      'ErrImagePull',
      'failed to pull and unpack image "docker.io/library/x:1": failed to resolve reference "docker.io/library/x:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    ),
    expected: {
      reason: 'ImagePullDenied',
      message:
        "The registry refuses the image modelservice-server:test-wasm: check its name in server.images in the operator's Helm values, and name a Secret with credentials in spec.pod.imagePullSecrets where it needs them.",
    },
  },
  {
    name: 'image-unreachable',
    failure: 'the nodes do not reach the registry',
    ...kubelet,
    spec: withImage,
    provoke: waits(
      'ErrImagePull',
      `failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to do request: Head "https://registry.example.com/v2/server/manifests/1": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host`,
    ),
    expected: {
      reason: 'ImagePullFailed',
      message: `The image ${image} cannot be pulled: check its name in spec.server.image, that the nodes reach its registry, and spec.pod.imagePullSecrets where that asks for credentials.`,
    },
  },
  {
    name: 'secret-missing',
    failure: 'a Secret that env names does not exist',
    ...kubelet,
    spec: { server: { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }] } },
    provoke: waits('CreateContainerConfigError', 'secret "keys" not found'),
    expected: {
      reason: 'ContainerConfigInvalid',
      message:
        'The server\'s container cannot be made: secret "keys" not found. Create it, or correct spec.server.env.',
    },
  },
  {
    name: 'key-missing',
    failure: 'a ConfigMap lacks the key that env names',
    ...kubelet,
    spec: { server: { env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } }] } },
    provoke: waits('CreateContainerConfigError', "couldn't find key mode in ConfigMap team/settings"),
    expected: {
      reason: 'ContainerConfigInvalid',
      message:
        "The server's container cannot be made: couldn't find key mode in ConfigMap team/settings. Create it, or correct spec.server.env.",
    },
  },
  {
    name: 'digest-mismatch',
    failure: 'the model is not the one that the digest pins',
    ...server,
    provoke: failed(
      'DigestMismatch',
      'The model at file:///m has the digest sha256:1, not sha256:2: correct spec.model.digest.',
    ),
    expected: {
      reason: 'DigestMismatch',
      message: 'The model at file:///m has the digest sha256:1, not sha256:2: correct spec.model.digest.',
    },
  },
  {
    name: 'model-missing',
    failure: 'there is no model at the URI',
    ...server,
    provoke: failed(
      'ModelNotFound',
      'There is nothing at https://models.example.com/digits/model.json: correct spec.model.uri.',
    ),
    expected: {
      condition: 'ModelLoaded',
      reason: 'ModelNotFound',
      message: 'There is nothing at https://models.example.com/digits/model.json: correct spec.model.uri.',
    },
  },
  {
    name: 'operation-missing',
    failure: 'the engine lacks an operation of the model',
    ...server,
    provoke: failed(
      'UnsupportedOperation',
      'The engine Wasm has no operation Einsum: set spec.server.engine to TensorFlow.',
    ),
    expected: {
      reason: 'UnsupportedOperation',
      message: 'The engine Wasm has no operation Einsum: set spec.server.engine to TensorFlow.',
    },
  },
  {
    name: 'model-too-large',
    failure: 'the model does not fit into the memory',
    ...server,
    provoke: failed(
      'OutOfMemory',
      'The model needs more memory than there is: raise spec.server.resources.limits.memory.',
    ),
    expected: {
      reason: 'OutOfMemory',
      message: 'The model needs more memory than there is: raise spec.server.resources.limits.memory.',
    },
  },
  {
    name: 'gpu-unusable',
    failure: 'the GPU cannot be used',
    ...server,
    provoke: failed('GPUNotUsable', 'TensorFlow sees no GPU: see that the driver on the node is of CUDA 12.'),
    expected: {
      reason: 'GPUNotUsable',
      message: 'TensorFlow sees no GPU: see that the driver on the node is of CUDA 12.',
    },
  },
  {
    name: 'killed-for-memory',
    failure: 'the server uses more memory than its limit',
    ...kubelet,
    spec: { server: { resources: { limits: { memory: '512Mi' } } } },
    provoke: ended(137, 'OOMKilled'),
    expected: {
      reason: 'OOMKilled',
      message: 'The server used more memory than its limit of 512Mi: raise spec.server.resources.limits.memory.',
    },
  },
  {
    name: 'crash-loop',
    failure: 'the server ends without saying why',
    ...kubelet,
    provoke: ended(139, 'Error'),
    expected: {
      reason: 'ServerFailed',
      message: 'The server ended with exit code 139: see kubectl logs --previous -l modelservice.dev/name=crash-loop',
    },
  },
  {
    name: 'not-a-server',
    failure: 'the image has no such program',
    ...kubelet,
    spec: withImage,
    provoke: ended(128, 'StartError', 'exec: "node": executable file not found in $PATH: unknown'),
    expected: {
      reason: 'ServerFailed',
      message:
        'The server cannot be started: exec: "node": executable file not found in $PATH: unknown. Check spec.server.image.',
    },
  },
  {
    name: 'slow-start',
    failure: 'the model loads for longer than it may',
    ...kubelet,
    spec: { server: { startupTimeout: '1m' } },
    provoke: ended(137, 'Error', '', 62),
    expected: {
      reason: 'StartupTimeout',
      message:
        'The model was not loaded within spec.server.startupTimeout of 1m and the server is started again: raise it, or see kubectl logs --previous -l modelservice.dev/name=slow-start',
    },
  },
  {
    name: 'deadline',
    failure: 'pods show no cause, and their time is over',
    made: 'status',
    by: 'Deployment controller, after 11 minutes',
    spec: { server: { startupTimeout: '1m' } },
    provoke: deadlinePassed,
    expected: {
      condition: 'Stalled',
      status: 'True',
      reason: 'DeadlineExceeded',
      message:
        'Pods did not become ready in time: see their events and logs, and raise spec.server.startupTimeout if the model needs longer.',
      columns: 'False DeadlineExceeded',
    },
  },
  {
    name: 'setup-fails',
    failure: 'the node cannot mount the volumes, or has no network for the pod',
    ...kubelet,
    provoke: setupFails,
    expected: {
      reason: 'PodSetupFailing',
      message:
        'A pod has had a node since TIME, and its volumes or its network are not ready there: see the events in kubectl describe pod -l modelservice.dev/name=setup-fails',
    },
  },
  {
    name: 'probe-fails',
    failure: 'a server that was ready answers its probe no more',
    ...kubelet,
    provoke: probeFails,
    expected: {
      reason: 'ProbeFailing',
      message:
        'A server that was ready has failed its readiness probe since TIME: see kubectl logs -l modelservice.dev/name=probe-fails',
    },
  },
  {
    name: 'node-lost',
    failure: 'the node fell silent',
    made: 'status',
    by: 'node lifecycle controller',
    provoke: nodeFellSilent,
    expected: {
      reason: 'NodeLost',
      message:
        'The node of a pod has not answered since TIME: see kubectl get nodes. Kubernetes makes the pod anew elsewhere after 5 minutes.',
    },
  },
  {
    name: 'evicted',
    failure: 'the node ran out of memory and evicted the pod',
    ...kubelet,
    provoke: evicted,
    expected: {
      reason: 'Evicted',
      message:
        'A pod was evicted: The node was low on resource: memory. Set spec.server.resources.requests to what the server uses.',
    },
  },
  {
    name: 'preempted',
    failure: 'the pod had to make room',
    made: 'status',
    by: 'scheduler',
    provoke: preempted,
    expected: {
      reason: 'Disrupted',
      message: 'A pod had to make room for one of higher priority: add nodes, or set spec.pod.priorityClassName.',
    },
  },
];
