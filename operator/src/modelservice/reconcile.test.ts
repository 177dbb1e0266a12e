import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import type { Intent, KubeObject, ResourceType } from '../kube/types.ts';
import { Applier } from '../runtime/applier.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { keyOf } from '../runtime/object-key.ts';
import type { Reconcile } from '../runtime/reconcile.ts';
import { Store } from '../runtime/store.ts';
import { BY_MODEL_SERVICE, modelServiceOfPod } from './gather.ts';
import type { Deployment, Pod } from './live-objects.ts';
import { ModelInfoReader } from './model-info.ts';
import { SCALE_TARGET_INDEX } from './outside-autoscaler.ts';
import { PodActivityReader } from './pod-activity.ts';
import { modelServiceReconciler } from './reconcile.ts';
import type { ModelService } from './resource.ts';
import { readyPod, sampleDeployment, sampleService } from './sample.ts';
import type { Condition } from './types.generated.ts';

const TOLD: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'PodsStarting',
  message: '',
  observedGeneration: 3,
  lastTransitionTime: '2026-08-01T00:00:00Z',
};
const service = sampleService({}, { conditions: [TOLD] });
const key = keyOf(service);
/** A Service of the same name that carries none of our labels. */
const FOREIGN: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'mnist', namespace: 'vision', uid: 'foreign', resourceVersion: '1' },
};

describe('modelServiceReconciler', () => {
  let clock: FakeClock;
  /** `Kind` or `Kind/subresource` of each apply. */
  let sent: string[];
  /** The kinds that were listed. */
  let looked: string[];
  /** What an apply of that name is answered with instead of success. */
  let refusals: Map<string, ApiError>;
  let pods: Store<Pod>;
  let services: Store<ModelService>;
  let reconcile: Reconcile;

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    refusals = new Map();
    pods = new Store({ [BY_MODEL_SERVICE]: modelServiceOfPod });
    services = new Store();
    services.put(service);
    const deployments = new Store<Deployment>();
    const kubeServices = new Store<KubeObject>();
    looked = [];
    const api = {
      list: async (type: ResourceType) => {
        looked.push(type.kind);
        return { resourceVersion: '1', items: type.kind === 'Service' ? [FOREIGN] : [] };
      },
      apply: async (_type: unknown, intent: Intent, options: { readonly subresource?: string }) => {
        const name = options.subresource === undefined ? intent.kind : `${intent.kind}/${options.subresource}`;
        sent.push(name);
        const refusal = refusals.get(name);
        if (refusal !== undefined) throw refusal;
        if (intent.kind === 'Deployment') return sampleDeployment();
        return { ...intent, metadata: { ...intent.metadata, uid: name, resourceVersion: '2' } };
      },
    } as unknown as KubeApi;
    reconcile = modelServiceReconciler({
      metrics: () => ({ provider: 'none', apis: undefined }),
      recordEvent: () => undefined,
      api,
      applier: new Applier({ api }),
      stores: {
        services,
        deployments,
        kubeServices,
        autoscalers: new Store(SCALE_TARGET_INDEX),
        budgets: new Store(),
        slices: new Store(),
        scaledObjects: new Store(SCALE_TARGET_INDEX),
        pods,
      },
      modelInfo: new ModelInfoReader({
        fetchModelInfo: async () => ({}),
        clock,
        signal: new AbortController().signal,
        onInfo: () => undefined,
      }),
      activity: new PodActivityReader({
        fetchPodActivity: () => Promise.reject(new Error('no pod answers')),
        clock,
        signal: new AbortController().signal,
        onRead: () => undefined,
      }),
      gateway: undefined,
      config: { images: { wasm: 'server:wasm', tensorflow: 'server:tensorflow' }, scaler: { kind: 'stock' } },
      clock,
    });
  });

  function run(): ReturnType<Reconcile> {
    return reconcile(key, { signal: new AbortController().signal, log: pino({ level: 'silent' }) });
  }

  function refuse(name: string, code: number, causes: readonly { readonly reason: string }[] = []): void {
    const options = { attempt: `apply ${name}`, code, reason: 'Refused', statusMessage: 'no', causes };
    refusals.set(name, new ApiError(options));
  }

  it('merges what happens within 250 ms of a write of the status', async () => {
    await run();
    await clock.advance(100);
    sent.length = 0;
    // The Deployment is there by now, and nothing of it differs.
    refuse('Deployment', 422);
    pods.put(readyPod('a'));
    assert.deepEqual(await run(), { requeueAfterMs: 150 });
    assert.ok(!sent.includes('ModelService/status'));
    await clock.advance(150);
    await run();
    assert.ok(sent.includes('ModelService/status'));
  });

  it('makes the children of a new service before it tells of them', async () => {
    services.put({
      ...service,
      metadata: { ...service.metadata, resourceVersion: '2' },
      status: sampleService().status,
    });
    assert.deepEqual(await run(), { requeueAfterMs: 250 });
    assert.deepEqual(sent.toSorted(), ['Deployment', 'Deployment', 'Service']);
    await clock.advance(250);
    await run();
    assert.ok(sent.includes('ModelService/status'));
  });

  it('tells at once of a change of the Deployment', async () => {
    await run();
    sent.length = 0;
    await run();
    assert.ok(sent.includes('ModelService/status'));
  });

  it('asks for what no store holds only once a name turns out to be taken', async () => {
    await run();
    assert.equal(looked.length, 0);
    refuse('Service', 409);
    sent.length = 0;
    assert.deepEqual(await run(), { requeueAfterMs: 10_000 });
    assert.ok(looked.includes('Service'));
    // Tried once; then the look has shown whose it is.
    assert.equal(sent.filter((name) => name === 'Service').length, 1);
    assert.ok(sent.includes('ModelService/status'));
  });

  it('is at rest about a service whose namespace is being deleted', async () => {
    refuse('Service', 403, [{ reason: 'NamespaceTerminating' }]);
    assert.deepEqual(await run(), {});
  });

  it('is at rest about a service that was deleted before its status could be written', async () => {
    refuse('ModelService/status', 404);
    assert.deepEqual(await run(), { requeueAfterMs: undefined });
  });

  it('leaves a namespace alone for a while in which it may not write', async () => {
    refuse('ModelService/status', 403);
    assert.deepEqual(await run(), { requeueAfterMs: 10_000 });
    sent.length = 0;
    await clock.advance(4_000);
    assert.deepEqual(await run(), { requeueAfterMs: 6_000 });
    assert.equal(sent.length, 0);
    refusals.clear();
    await clock.advance(6_000);
    await run();
    assert.ok(sent.includes('ModelService/status'));
  });

  it('tries again for any other answer', async () => {
    refuse('Service', 500);
    await assert.rejects(run(), ApiError);
  });
});
