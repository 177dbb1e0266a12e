import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { everShrank, type ServiceRef, SizeHistory } from './support/autoscaling.ts';
import { chartTemplate, helm } from './support/chart.ts';
import { awaitCondition, awaitObject, conditionOf, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { installScaledObject } from './support/keda-definitions.ts';
import { kubectl } from './support/kubectl.ts';
import { applyManifest, modelService } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { startOperator } from './support/operator-process.ts';
import { RESOURCES } from './support/resource-types.ts';
import { ToolError } from './support/run-tool.ts';
import { useOperator } from './support/suite-operator.ts';
import type { AnyObject } from './support/test-api.ts';
import { testApi } from './support/test-run.ts';

const KEDA = { provider: 'keda', prometheusUrl: 'http://prometheus.monitoring:9090' } as const;
const PAUSED = 'autoscaling.keda.sh/paused';
const WITH_CPU_REQUEST = { server: { resources: { requests: { cpu: '100m' } } } };
const METRICS = [
  { type: 'InFlightRequests', target: { averageValue: '2500m' } },
  { type: 'Cpu', target: { averageUtilization: 70 } },
];

describe('The chart with metrics.provider=keda', () => {
  const namespace = useNamespace('keda');
  const named = (name: string): ServiceRef => ({ namespace: namespace(), name });
  useOperator(() => ({ namespaces: [namespace()], metrics: KEDA }));
  let definitions: AsyncDisposable | undefined;
  after(async () => await definitions?.[Symbol.asyncDispose]());

  const options = () => ({
    release: 'ms',
    namespace: namespace(),
    values: { crds: { enabled: false }, metrics: KEDA },
  });

  /** For a namespace that no operator of this suite looks after. */
  const elsewhere = () => ({ ...options(), values: { ...options().values, watchNamespaces: ['elsewhere'] } });

  it('is refused where KEDA is not installed, and can be rendered all the same', async () => {
    await assert.rejects(
      helm(['install'], elsewhere(), ['--dry-run=server']),
      (error) => error instanceof ToolError && /KEDA is not installed: install it first/.test(error.stderr),
    );
    const rendered = await chartTemplate(options());
    assert.doesNotMatch(rendered, /kind: APIService|metrics-api/);
    assert.match(rendered, /scaledobjects/);
  });

  it('is refused without a Prometheus server to ask, and with credentials that KEDA does not get', async () => {
    const refuses = async (metrics: object, message: RegExp) =>
      await assert.rejects(
        chartTemplate({ ...options(), values: { metrics } }),
        (error) => error instanceof ToolError && message.test(error.stderr),
      );
    await refuses({ provider: 'keda' }, /needs metrics\.prometheusUrl/);
    await refuses({ ...KEDA, prometheusSecret: 'token' }, /leave metrics\.prometheusSecret empty/);
  });

  it('serves without KEDA, says that it is missing, and has it scale as soon as it is installed', async () => {
    const scaling = { minReplicas: 2, maxReplicas: 4, metrics: METRICS };
    await applyManifest(namespace(), modelService('digits', { ...WITH_CPU_REQUEST, scaling }));
    const object = await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'KEDAMissing');
    assert.match(
      conditionOf(object, 'AutoscalingActive')?.message ?? '',
      /^KEDA is not installed.*size stays as it is/,
    );
    await awaitObject('deployments', named('digits'), {
      because: 'it has its least size',
      until: (deployment) => field(deployment, 'spec', 'replicas') === 2,
    });
    assert.equal(await testApi().find(RESOURCES.horizontalPodAutoscalers, named('digits')), undefined);

    definitions = await installScaledObject();
    await awaitScaledObject('digits', 'it is there', () => true);
    assert.doesNotMatch(await helm(['install'], elsewhere(), ['--dry-run=server']), /kind: APIService/);
  });

  it('says all of it in a way that KEDA understands', async () => {
    const { metadata, spec } = await testApi().get(RESOURCES.scaledObjects, named('digits'));
    const { triggers, ...others } = spec as { readonly triggers: readonly AnyObject[] };
    const [onRequests, onCpu, ...further] = triggers;
    // What the schema does not know would have been dropped.
    assert.deepEqual(others, {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'digits' },
      minReplicaCount: 2,
      maxReplicaCount: 4,
      advanced: { horizontalPodAutoscalerConfig: { name: 'digits--keda', behavior: await defaultBehavior() } },
    });
    assert.deepEqual(further, []);
    assert.deepEqual(onCpu, {
      type: 'cpu',
      metricType: 'Utilization',
      metadata: { value: '70', containerName: 'server' },
    });
    assert.ok(onRequests);
    const { query, ...how } = onRequests.metadata as unknown as Readonly<Record<string, string>>;
    assert.deepEqual(
      { ...onRequests, metadata: how },
      {
        type: 'prometheus',
        metricType: 'AverageValue',
        metadata: { serverAddress: KEDA.prometheusUrl, threshold: '2.5', ignoreNullValues: 'false' },
      },
    );
    assert.ok(query?.includes(`modelservice_in_flight_avg15s{namespace="${namespace()}",pod=~"digits-`), query);
    assert.equal(metadata.annotations?.[PAUSED], undefined);
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'ModelService');
  });

  it('restores what was edited, and leaves alone what KEDA adds', async () => {
    const labels = { 'scaledobject.keda.sh/name': 'digits' };
    await testApi().mergePatch(RESOURCES.scaledObjects, named('digits'), {
      metadata: { labels, finalizers: ['finalizer.keda.sh'] },
      spec: { maxReplicaCount: 99 },
    });
    const { metadata } = await awaitScaledObject(
      'digits',
      'its bound is back',
      ({ spec }) => spec?.maxReplicaCount === 4,
    );
    assert.equal(metadata.labels?.['scaledobject.keda.sh/name'], 'digits');
    assert.deepEqual(field(metadata, 'finalizers'), ['finalizer.keda.sh']);
    await testApi().mergePatch(RESOURCES.scaledObjects, named('digits'), { metadata: { finalizers: null } });
  });

  it('says what KEDA says of a ScaledObject that it cannot use, and writes nothing to it', async () => {
    // That nobody serves the CPU use here would come first.
    await testApi().mergePatch(RESOURCES.modelServices, named('digits'), { spec: { scaling: { metrics: null } } });
    await awaitScaledObject('digits', 'it is by the default metric', (object) => {
      return field(object, 'spec', 'triggers', 1) === undefined;
    });
    const said = { type: 'Ready', status: 'False', reason: 'ScaledObjectCheckFailed', message: 'no such trigger' };
    const { metadata } = await testApi().mergePatch(
      RESOURCES.scaledObjects,
      named('digits'),
      { status: { conditions: [said] } },
      'status',
    );
    const object = await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'KEDANotReady');
    assert.match(conditionOf(object, 'AutoscalingActive')?.message ?? '', /ScaledObject digits: no such trigger/);
    await testApi().mergePatch(RESOURCES.modelServices, named('digits'), { metadata: { labels: { looked: 'at' } } });
    await applyManifest(namespace(), modelService('later'));
    await awaitCondition(named('later'), 'Stalled', 'False', 'NotStalled');
    const now = await testApi().get(RESOURCES.scaledObjects, named('digits'));
    assert.equal(now.metadata.resourceVersion, metadata.resourceVersion);
    const ready = { ...said, status: 'True', reason: 'ScaledObjectReady', message: '' };
    await testApi().mergePatch(RESOURCES.scaledObjects, named('digits'), { status: { conditions: [ready] } }, 'status');
  });

  it('reads from the autoscaler that KEDA makes', async () => {
    await createKedaAutoscaler(named('digits'));
    await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'NothingToMeasure', 60_000);
  });

  it('is paused while there are to be no pods, suspended or by hand, and goes on afterwards', async () => {
    const pauses =
      (paused: boolean) =>
      ({ metadata }: AnyObject) =>
        metadata.annotations?.[PAUSED] === (paused ? 'true' : undefined);
    const size = (replicas: number) =>
      awaitObject('deployments', named('digits'), {
        because: `its size is ${replicas}`,
        until: (deployment) => field(deployment, 'spec', 'replicas') === replicas,
      });
    const suspend = (value: boolean) =>
      testApi().mergePatch(RESOURCES.modelServices, named('digits'), { spec: { suspend: value } });
    await suspend(true);
    await size(0);
    await awaitScaledObject('digits', 'it is paused', pauses(true));
    await suspend(false);
    await size(2);
    await awaitScaledObject('digits', 'it goes on', pauses(false));

    const scale = (replicas: number) =>
      kubectl(['scale', 'deployment', 'digits', '--namespace', namespace(), `--replicas=${replicas}`]);
    await scale(0);
    await awaitScaledObject('digits', 'it is paused', pauses(true));
    await scale(3);
    await awaitScaledObject('digits', 'it goes on', pauses(false));
    await size(3);
  });

  it('says that KEDA is missing when it is uninstalled, and leaves nothing of it behind', async () => {
    await definitions?.[Symbol.asyncDispose]();
    definitions = undefined;
    await awaitCondition(named('digits'), 'AutoscalingActive', 'False', 'KEDAMissing');
    await awaitGone('horizontalPodAutoscalers', named('digits--keda'));
    definitions = await installScaledObject();
    await awaitScaledObject('digits', 'it is there again', () => true);
  });

  it('has none for a fixed size', async () => {
    await testApi().mergePatch(RESOURCES.modelServices, named('digits'), {
      spec: { scaling: { maxReplicas: null } },
    });
    await awaitGone('scaledObjects', named('digits'));
  });

  function awaitScaledObject(name: string, because: string, until: (object: AnyObject) => boolean): Promise<AnyObject> {
    return awaitObject('scaledObjects', named(name), { because: `${because} in ScaledObject ${name}`, until });
  }

  async function defaultBehavior(): Promise<unknown> {
    const { default: fixture } = await import('../../operator/src/modelservice/plan/fixtures/default-autoscaler.json', {
      with: { type: 'json' },
    });
    return fixture.behavior;
  }
});

describe('A change of metrics.provider', function () {
  // The garbage collector learns of new types every 30 s only.
  this.timeout(180_000);
  const namespace = useNamespace('keda-swap');
  const ref = (): ServiceRef => ({ namespace: namespace(), name: 'digits' });
  let definitions: AsyncDisposable | undefined;
  before('install the definitions of KEDA', async () => {
    definitions = await installScaledObject();
  });
  after(async () => await definitions?.[Symbol.asyncDispose]());
  const withKeda = ['keda.sh/v1alpha1'];

  it('to keda and back has one autoscaler take over from the other at the size that there is', async () => {
    const builtin = { namespaces: [namespace()], metrics: { provider: 'builtin' }, apiVersions: withKeda } as const;
    let operator = await startOperator(builtin);
    try {
      await applyManifest(namespace(), modelService('digits', { scaling: { maxReplicas: 5 } }));
      await awaitObject('horizontalPodAutoscalers', ref(), { because: 'the stock autoscaler is there' });
      await kubectl(['scale', 'deployment', 'digits', '--namespace', namespace(), '--replicas=3']);
      const history = await SizeHistory.begin(ref());
      await operator.stop();

      operator = await startOperator({ namespaces: [namespace()], metrics: KEDA });
      await awaitObject('scaledObjects', ref(), { because: 'KEDA is to scale' });
      assert.equal(await testApi().find(RESOURCES.horizontalPodAutoscalers, ref()), undefined);
      const theirs = await createKedaAutoscaler(ref());
      await operator.stop();

      operator = await startOperator(builtin);
      await awaitGone('scaledObjects', ref());
      await awaitGone('horizontalPodAutoscalers', theirs);
      await awaitObject('horizontalPodAutoscalers', ref(), {
        because: 'the stock autoscaler is back',
        deadlineMs: 30_000,
      });
      const sizes = await history.sizes();
      assert.ok(!everShrank(sizes) && sizes.at(-1) === 3, String(sizes));
    } finally {
      await operator.stop();
    }
  });
});

/** As KEDA does, with the labels of the ScaledObject. */
async function createKedaAutoscaler({ namespace, name }: ServiceRef): Promise<ServiceRef> {
  const { metadata } = await testApi().get(RESOURCES.scaledObjects, { namespace, name });
  const owner = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name, uid: metadata.uid, controller: true };
  const theirs = { namespace, name: `${name}--keda` };
  const metric = { name: 's0-prometheus', selector: { matchLabels: { 'scaledobject.keda.sh/name': name } } };
  await testApi().create(RESOURCES.horizontalPodAutoscalers, {
    metadata: { ...theirs, labels: metadata.labels ?? {}, ownerReferences: [owner] } as object as ServiceRef,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [{ type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: '2' } } }],
    },
  });
  return theirs;
}

async function awaitGone(kind: 'scaledObjects' | 'horizontalPodAutoscalers', ref: ServiceRef): Promise<void> {
  await eventually(() => testApi().find(RESOURCES[kind], ref), {
    because: `${kind} ${ref.name} is gone`,
    until: (found) => found === undefined,
    deadlineMs: 120_000,
  });
}
