import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isConflict } from '../../operator/src/kube/errors.ts';
import { firstDifference } from '../../operator/src/kube/owned-fields.ts';
import { DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, SERVICE } from '../../operator/src/kube/resources.ts';
import type { Intent, KubeObject, ResourceType } from '../../operator/src/kube/types.ts';
import { Applier } from '../../operator/src/runtime/applier.ts';
import { useKubeClient } from './support/kube-client.ts';
import { kubectl } from './support/kubectl.ts';
import { useNamespace } from './support/namespaces.ts';

interface DeploymentObject extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly env: readonly EnvVar[] }[] } };
  };
}
interface EnvVar {
  readonly name: string;
  readonly value?: string;
}

const us = { fieldManager: 'modelservice' };
const labels = { app: 'web' };
const env: readonly object[] = [
  { name: 'B', value: '' },
  { name: 'A', value: '1000m' },
  { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
];

/** One of everything that a pod template of ours may hold, spelled so that the server normalises or defaults it. */
function deployment(name: string, namespace: string, container: object = {}): Intent {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels, annotations: { 'example.dev/quantity': '1000m', empty: '' } },
    spec: {
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          hostNetwork: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
          nodeSelector: { 'kubernetes.io/arch': 'amd64' },
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
              },
            },
          },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: labels },
            },
          ],
          imagePullSecrets: [{ name: 'registry' }],
          volumes: [
            { name: 'tmp', emptyDir: {} },
            { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1024Mi' } },
            { name: 'model', configMap: { name: 'model' } },
            {
              name: 'projected',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 'token' } },
                  { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
                ],
              },
            },
          ],
          containers: [
            {
              name: 'server',
              image: 'server:1',
              args: ['--a', '--b'],
              ports: [
                { name: 'http', containerPort: 8080 },
                { name: 'dns', containerPort: 53 },
                { name: 'dns-udp', containerPort: 53, protocol: 'UDP' },
              ],
              env,
              resources: {
                limits: { cpu: '1000m', memory: '1024Mi', 'nvidia.com/gpu': 1 },
                requests: { cpu: 0.5, memory: '1Gi' },
              },
              securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false },
              startupProbe: { httpGet: { path: '/v2/health/ready', port: 'http' }, periodSeconds: 2 },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              ...container,
            },
          ],
        },
      },
    },
  };
}

function service(name: string, namespace: string): Intent {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: {
      selector: labels,
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
  };
}

function autoscaler(name: string, namespace: string): Intent {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '1000m' } } },
      ],
      behavior: { scaleDown: { policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }] } },
    },
  };
}

describe('an apply against a real API server', () => {
  const namespace = useNamespace('apply');
  const client = useKubeClient();
  const { signal } = new AbortController();

  async function read(type: ResourceType, name: string): Promise<DeploymentObject> {
    return await client().get<DeploymentObject>(type, { namespace: namespace(), name }, signal);
  }

  async function applied(intent: Intent): Promise<DeploymentObject> {
    await client().apply(DEPLOYMENT, intent, us, signal);
    return await read(DEPLOYMENT, intent.metadata.name);
  }

  function envNames(object: DeploymentObject): readonly string[] {
    return object.spec.template.spec.containers.flatMap((container) => container.env.map(({ name }) => name));
  }

  const children: readonly (readonly [ResourceType, (name: string, namespace: string) => Intent])[] = [
    [DEPLOYMENT, deployment],
    [SERVICE, service],
    [HORIZONTAL_POD_AUTOSCALER, autoscaler],
  ];
  for (const [type, render] of children) {
    it(`leaves nothing to apply to a ${type.kind}, whatever the server normalised and defaulted`, async () => {
      const intent = render('settled', namespace());
      assert.equal(firstDifference(intent, await client().apply(type, intent, us, signal), us), undefined);
      const before = await read(type, 'settled');
      assert.equal(firstDifference(intent, before, us), undefined);
      const results: string[] = [];
      const applier = new Applier({ api: client(), onResult: (kind, by, result) => results.push(kind, by, result) });
      const { object, difference } = await applier.apply(type, intent, before, us, signal);
      assert.deepEqual([object, difference, results], [before, undefined, [type.kind, 'modelservice', 'skipped']]);
    });
  }

  for (const [type, render] of children) {
    it(`makes a ${type.kind} that is not there, and takes over none that turns out to be there`, async () => {
      const intent = render('made', namespace());
      const applier = new Applier({ api: client() });
      const make = () => applier.apply(type, intent, undefined, us, signal);
      const { uid, resourceVersion } = (await make()).object.metadata;
      await assert.rejects(make(), isConflict);
      await client().delete(type, { namespace: namespace(), name: 'made' }, {}, signal);
      const again = (await make()).object.metadata;
      assert.notEqual(again.uid, uid);
      assert.notEqual(again.resourceVersion, resourceVersion);
    });
  }

  it('agrees with the server on what changes nothing: a real apply leaves the resourceVersion', async () => {
    // A Service, because no controller writes into it meanwhile.
    const intent = service('no-op', namespace());
    const before = await client().apply(SERVICE, intent, us, signal);
    const after = await client().apply(SERVICE, intent, us, signal);
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
  });

  const changes: readonly (readonly [string, object, string])[] = [
    ['another image', { image: 'server:2' }, 'image'],
    ['fewer arguments', { args: ['--a'] }, 'args'],
    ['no environment', { env: undefined }, 'env'],
    ['one variable less', { env: env.slice(1) }, 'env'],
    ['another order of variables', { env: env.toReversed() }, 'env[name=POD]'],
    ['another CPU limit', { resources: { limits: { cpu: '1001m' } } }, 'resources.limits.cpu'],
    ['no probe', { startupProbe: undefined }, 'startupProbe'],
    ['a new field', { tty: true }, 'tty'],
  ];
  for (const [title, change, field] of changes) {
    it(`is needed for ${title}, and then no more`, async () => {
      const live = await applied(deployment('changing', namespace()));
      const intent = deployment('changing', namespace(), change);
      const container = 'spec.template.spec.containers[name=server]';
      assert.equal(firstDifference(intent, live, us), `${container}.${field}`);
      const after = await applied(intent);
      assert.equal(firstDifference(intent, after, us), undefined);
      assert.notEqual(after.metadata.generation, live.metadata.generation);
    });
  }

  it('is not needed for what others add, and restores what they change', async () => {
    const intent = deployment('drifting', namespace());
    await applied(intent);
    await kubectl(['set', 'env', '-n', namespace(), 'deployment/drifting', 'FOREIGN=1']);
    await kubectl(['rollout', 'restart', '-n', namespace(), 'deployment/drifting']);
    await kubectl(['label', '-n', namespace(), 'deployment/drifting', 'team=red']);
    const extended = await read(DEPLOYMENT, 'drifting');
    assert.ok(envNames(extended).includes('FOREIGN'));
    assert.equal(firstDifference(intent, extended, us), undefined);

    await kubectl(['set', 'image', '-n', namespace(), 'deployment/drifting', 'server=evil:1']);
    const drifted = await read(DEPLOYMENT, 'drifting');
    assert.equal(firstDifference(intent, drifted, us), 'spec.template.spec.containers[name=server].image');
    const restored = await applied(intent);
    assert.equal(firstDifference(intent, restored, us), undefined);
    assert.ok(envNames(restored).includes('FOREIGN'));
  });

  it('removes a field that is no longer sent, and leaves a number that another manager of ours keeps', async () => {
    const name = 'shrinking';
    await applied(deployment(name, namespace(), { tty: true }));
    const replicas = { fieldManager: 'modelservice-replicas' };
    const number: Intent = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: namespace() },
      spec: { replicas: 3 },
    };
    await client().apply(DEPLOYMENT, number, replicas, signal);
    const intent = deployment(name, namespace());
    assert.match(firstDifference(intent, await read(DEPLOYMENT, name), us) ?? '', /tty$/);
    const live = await applied(intent);
    assert.equal(live.spec.replicas, 3);
    assert.equal(firstDifference(intent, live, us), undefined);
    assert.equal(firstDifference(number, live, replicas), undefined);
    assert.equal(firstDifference({ ...number, spec: { replicas: 4 } }, live, replicas), 'spec.replicas');
  });

  it('is refused where somebody made another object of that name since we looked, or deleted ours', async () => {
    const intent = service('replaced', namespace());
    const ours = await client().apply(SERVICE, intent, us, signal);
    const applier = new Applier({ api: client() });
    const wanted = { ...intent, metadata: { ...intent.metadata, labels: { changed: 'yes' } } };
    await kubectl(['delete', '-n', namespace(), 'service/replaced']);
    await assert.rejects(applier.apply(SERVICE, wanted, ours, us, signal), isConflict);
    await kubectl([
      'create',
      'service',
      'externalname',
      'replaced',
      '-n',
      namespace(),
      '--external-name=theirs.example',
    ]);
    await assert.rejects(applier.apply(SERVICE, wanted, ours, us, signal), isConflict);
    const { spec } = (await read(SERVICE, 'replaced')) as object as { readonly spec: object };
    assert.partialDeepStrictEqual(spec, { type: 'ExternalName', externalName: 'theirs.example' });
  });

  it('carries every character that JSON can', async () => {
    const text = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).join('');
    const intent: Intent = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'characters', namespace: namespace() },
      data: { text: `${text}\ue000\ufeff\ufffd\ufffe\uffff😀` },
    };
    const configMaps = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
    const stored = await client().apply<KubeObject & { data: object }>(configMaps, intent, us, signal);
    assert.deepEqual(stored.data, intent.data);
  });
});
