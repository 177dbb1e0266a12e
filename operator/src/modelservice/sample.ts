import type { ManagedFieldsEntry } from '../kube/types.ts';
import type { Deployment, EndpointSlice, Pod, PodStatus } from './live-objects.ts';
import type { GatewayPod } from './observed.ts';
import type { ModelService } from './resource.ts';

/** Objects for unit tests, as an API server would serve them. */

type Spec = ModelService['spec'];

/** Each part replaces the part of that name; defaults are filled in as the CRD's are. */
export interface SpecParts {
  readonly model?: Partial<Spec['model']>;
  readonly server?: Partial<Spec['server']>;
  readonly scaling?: Partial<Spec['scaling']>;
  readonly gpu?: Spec['gpu'];
  readonly batching?: Spec['batching'] | undefined;
  readonly rollout?: Partial<Spec['rollout']>;
  readonly availability?: Partial<Spec['availability']>;
  readonly pod?: Spec['pod'];
  readonly suspend?: boolean;
}

export function sampleService(parts: SpecParts = {}, status: Partial<ModelService['status']> = {}): ModelService {
  return {
    apiVersion: 'modelservice.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name: 'mnist', namespace: 'vision', uid: 'service-uid', resourceVersion: '1', generation: 3 },
    spec: {
      model: { uri: 'file:///examples/mnist/model', version: '1', format: 'Auto', ...parts.model },
      server: {
        updatePolicy: 'OnSpecChange',
        engine: 'Auto',
        logLevel: 'Info',
        resources: {},
        startupTimeout: '10m',
        ...parts.server,
      },
      scaling: { minReplicas: 1, ...parts.scaling },
      ...(parts.gpu === undefined ? {} : { gpu: parts.gpu }),
      ...(parts.batching === undefined ? {} : { batching: parts.batching }),
      rollout: { strategy: 'Auto', allowInterruption: false, ...parts.rollout },
      availability: {
        drainTimeout: '30s',
        podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
        ...parts.availability,
      },
      pod: parts.pod ?? {},
      suspend: parts.suspend ?? false,
    },
    status: { replicas: 0, readyReplicas: 0, ...status },
  };
}

export interface DeploymentParts {
  readonly replicas?: number;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFieldsEntry[];
  readonly status?: Deployment['status'];
}

export function sampleDeployment(parts: DeploymentParts = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'mnist',
      namespace: 'vision',
      uid: 'deployment-uid',
      resourceVersion: '1',
      generation: parts.generation ?? 2,
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
      ...(parts.managedFields === undefined ? {} : { managedFields: parts.managedFields }),
    },
    spec: {
      replicas: parts.replicas ?? 1,
      template: { spec: { containers: [{ name: 'server', image: 'server:wasm' }] } },
    },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}

export function samplePod(uid: string, status: PodStatus = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `mnist-${uid}`,
      namespace: 'vision',
      uid,
      resourceVersion: '1',
      labels: { 'modelservice.dev/name': 'mnist' },
    },
    spec: { containers: [{ name: 'server', image: 'server:wasm' }] },
    status,
  };
}

export function readyPod(uid: string, podIP = '10.0.0.1'): Pod {
  return samplePod(uid, { podIP, conditions: [{ type: 'Ready', status: 'True' }] });
}

export function sampleGatewayPod(uid: string, ip = '10.1.0.1'): GatewayPod {
  const metadata = { name: `gateway-${uid}`, namespace: 'system', uid, resourceVersion: '1' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, health: { ip, port: 8081 } };
}

/** It names the gateway's pods of those uids. */
export function sampleSlice(
  uids: readonly string[],
  { port = 20_007, addressType = 'IPv4' }: { readonly port?: number; readonly addressType?: string } = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'mnist--gateway', namespace: 'vision', uid: 'slice', resourceVersion: '1' },
    addressType,
    ports: [{ name: 'http', port }],
    endpoints: uids.map((uid) => ({ addresses: ['10.1.0.1'], targetRef: { uid } })),
  };
}

/** As it is where we applied its size last. */
export const OWNED_REPLICAS: readonly ManagedFieldsEntry[] = [
  { manager: 'modelservice-replicas', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
];
