import { kubectl } from '../kubectl.ts';
import { applyManifest, modelService } from '../manifests.ts';
import { RESOURCES } from '../resource-types.ts';
import type { AnyObject } from '../test-api.ts';
import { testApi } from '../test-run.ts';
import type { Cause, Ref } from './cause.ts';
import { ready } from './report-status.ts';

const admission = { made: 'real', by: 'admission' } as const;
const scheduler = { made: 'real', by: 'scheduler, on two nodes' } as const;
const image = 'registry.example.com/server:1';

function patchDeployment(patch: object): (ref: Ref) => Promise<unknown> {
  return ({ namespace, name }) =>
    kubectl(['patch', 'deployment', name, '--namespace', namespace, '--patch', JSON.stringify(patch)]);
}

/** A Deployment without pods; `owner` controls it. */
async function deploymentOf(ref: Ref, owner: AnyObject): Promise<void> {
  const { apiVersion, kind, metadata } = owner;
  const labels = { 'app.kubernetes.io/managed-by': 'modelservice-operator', 'modelservice.dev/name': metadata.name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'server', image }] } };
  await testApi().create(RESOURCES.deployments, {
    metadata: {
      ...ref,
      labels,
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }],
    },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  });
}

/** What the control plane makes of what an owner asks for, and of what others did. */
export const CONTROL_PLANE_CAUSES: readonly Cause[] = [
  {
    name: 'pod-quota',
    failure: 'a quota admits no more pods',
    ...admission,
    place: 'podQuota',
    expected: {
      reason: 'QuotaExceeded',
      message:
        'ResourceQuota team admits no more pods: pods=1 was requested, and the limit is pods=0. Have it raised, or lower spec.scaling or spec.server.resources.',
    },
  },
  {
    name: 'compute-quota',
    failure: 'a quota asks for limits that the spec does not set',
    ...admission,
    place: 'computeQuota',
    expected: {
      reason: 'QuotaExceeded',
      message:
        'ResourceQuota team admits only pods that say what they use: set limits.cpu, limits.memory in spec.server.resources.',
    },
  },
  {
    name: 'object-quota',
    failure: 'a quota admits no more Services',
    ...admission,
    place: 'objectQuota',
    expected: {
      reason: 'Refused',
      message:
        'The API server refuses the Service: services "object-quota" is forbidden: exceeded quota: team, requested: count/services=1, used: count/services=0, limited: count/services=0',
    },
  },
  {
    name: 'limit-range',
    failure: 'a LimitRange refuses what the spec asks for',
    ...admission,
    place: 'limits',
    spec: { server: { resources: { limits: { cpu: 2 } } } },
    expected: {
      reason: 'LimitRangeViolation',
      message:
        'A LimitRange of the namespace refuses the pods: maximum cpu usage per Container is 1, but limit is 2. Change spec.server.resources.',
    },
  },
  {
    name: 'pod-security',
    failure: 'somebody’s change of the Deployment breaks the namespace’s pod security',
    ...admission,
    place: 'secure',
    provoke: patchDeployment({ spec: { template: { spec: { hostPID: true } } } }),
    expected: {
      reason: 'PodSecurityViolation',
      message:
        'The namespace admits only pods of the level restricted:latest: host namespaces (hostPID=true). Take out of the Deployment or spec.pod what breaks it, or use another namespace.',
    },
  },
  {
    name: 'no-account',
    failure: 'the ServiceAccount does not exist',
    ...admission,
    spec: { pod: { serviceAccountName: 'vision' } },
    expected: {
      reason: 'ServiceAccountNotFound',
      message: 'There is no ServiceAccount vision: create it, or correct spec.pod.serviceAccountName.',
    },
  },
  {
    name: 'no-priority-class',
    failure: 'the PriorityClass does not exist',
    ...admission,
    spec: { pod: { priorityClassName: 'urgent' } },
    expected: {
      reason: 'PriorityClassNotFound',
      message: 'There is no PriorityClass urgent: create it, or correct spec.pod.priorityClassName.',
    },
  },
  {
    name: 'no-runtime-class',
    failure: 'the RuntimeClass does not exist',
    ...admission,
    spec: { pod: { runtimeClassName: 'kata' } },
    expected: {
      reason: 'RuntimeClassNotFound',
      message: 'There is no RuntimeClass kata: create it, or correct spec.pod.runtimeClassName.',
    },
  },
  {
    name: 'no-gpu',
    failure: 'no node has a free GPU',
    ...scheduler,
    spec: { gpu: { count: 1 }, server: { image } },
    expected: {
      condition: 'Scheduled',
      reason: 'Unschedulable',
      message:
        'No node can take a pod: 0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint(s). Add such a node, wait until one is free, or change spec.gpu.',
    },
  },
  {
    name: 'no-memory',
    failure: 'no node has the memory',
    ...scheduler,
    spec: { server: { resources: { requests: { memory: '1Ti' } } } },
    expected: {
      reason: 'Unschedulable',
      message:
        'No node can take a pod: 0/2 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s). Add such a node, or lower spec.server.resources.requests.',
    },
  },
  {
    name: 'no-such-node',
    failure: 'no node has the labels',
    ...scheduler,
    spec: { pod: { nodeSelector: { disk: 'tape' } } },
    expected: {
      reason: 'Unschedulable',
      message:
        "No node can take a pod: 0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s). Label a node so, or change spec.pod.nodeSelector, spec.pod.affinity or spec.gpu.product.",
    },
  },
  {
    name: 'no-gpu-image',
    failure: 'the operator has no server image for GPUs',
    made: 'real',
    by: 'operator',
    spec: { gpu: { count: 1 } },
    expected: {
      reason: 'NoServerImage',
      message:
        'This operator has no server image for GPUs: set spec.server.image, or install the operator with server.images.tensorflowGPU.',
    },
  },
  {
    name: 'no-metrics',
    failure: 'nobody serves the metrics that the autoscaler reads',
    made: 'real',
    by: 'HPA controller',
    spec: { scaling: { maxReplicas: 3 } },
    provoke: ready,
    expected: {
      condition: 'AutoscalingActive',
      reason: 'MetricsMissing',
      message:
        'Nobody serves the request metrics: install the operator with a metrics.provider other than none, or see kubectl get apiservice v1beta2.custom.metrics.k8s.io. The size stays as it is. The autoscaler says: …',
      columns: 'True Serving',
    },
  },
  {
    name: 'paused',
    failure: 'somebody paused the rollout',
    made: 'real',
    by: 'Deployment controller',
    async provoke({ namespace, name }, pod) {
      await ready({ namespace, name }, pod);
      await kubectl(['rollout', 'pause', `deployment/${name}`, '--namespace', namespace]);
      const spec = { server: { logLevel: 'Debug' } };
      await testApi().mergePatch(RESOURCES.modelServices, { namespace, name }, { spec });
    },
    expected: {
      condition: 'Stalled',
      status: 'True',
      reason: 'RolloutPaused',
      message: 'Somebody paused the Deployment: go on with kubectl rollout resume deployment paused.',
      columns: 'True OldRevisionServing',
    },
  },
  {
    name: 'drifted',
    failure: 'somebody set variables and limits of the server’s container',
    made: 'real',
    by: 'kubectl patch deployment',
    provoke: patchDeployment({
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'server', env: [{ name: 'DEBUG', value: '1' }], resources: { limits: { memory: '1Gi' } } },
            ],
          },
        },
      },
    }),
    expected: {
      condition: 'Drifted',
      status: 'True',
      reason: 'ForeignChanges',
      message:
        "Somebody else set env DEBUG, resources.limits.memory of the server's container: move that to spec.server, or take it out with kubectl edit deployment drifted.",
      columns: 'False PodsStarting',
    },
  },
  {
    name: 'taken-service',
    failure: 'somebody else has a Service of that name',
    made: 'real',
    by: 'kubectl create service',
    prepare: (ref) => testApi().create(RESOURCES.services, { metadata: ref, spec: { ports: [{ port: 443 }] } }),
    expected: {
      reason: 'NameTaken',
      message:
        'Service taken-service was not made by this operator and is left alone: delete it, or give this ModelService another name.',
    },
  },
  {
    name: 'taken-autoscaler',
    failure: 'somebody else has an HorizontalPodAutoscaler of that name',
    made: 'real',
    by: 'kubectl autoscale',
    spec: { scaling: { maxReplicas: 3 } },
    prepare: (ref) =>
      testApi().create(RESOURCES.horizontalPodAutoscalers, {
        metadata: ref,
        spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'theirs' } },
      }),
    expected: {
      condition: 'Stalled',
      status: 'True',
      reason: 'NameTaken',
      message:
        'HorizontalPodAutoscaler taken-autoscaler was not made by this operator and is left alone: delete it, or give this ModelService another name.',
      columns: 'False PodsStarting',
    },
  },
  {
    name: 'second',
    failure: 'another ModelService has a Deployment of that name',
    made: 'real',
    by: 'operator',
    async prepare(ref) {
      await applyManifest(ref.namespace, modelService('first', { suspend: true }));
      await deploymentOf(ref, await testApi().get(RESOURCES.modelServices, { ...ref, name: 'first' }));
    },
    expected: {
      reason: 'NameTaken',
      message:
        'Deployment second belongs to ModelService first and is left alone: delete it, or give this ModelService another name.',
    },
  },
];

/** What others own in these, by the ModelService's name. */
export const OBSTACLES = {
  'taken-service': 'services',
  'taken-autoscaler': 'horizontalPodAutoscalers',
  second: 'deployments',
} as const satisfies Readonly<Record<string, keyof typeof RESOURCES>>;
