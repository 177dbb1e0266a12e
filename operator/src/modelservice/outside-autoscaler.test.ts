import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { OwnerReference } from '../kube/types.ts';
import { Store } from '../runtime/store.ts';
import type { HorizontalPodAutoscaler, ScaledObject, ScaleTargetRef } from './live-objects.ts';
import { outsideAutoscalerOf, SCALE_TARGET_INDEX, trimAutoscaler } from './outside-autoscaler.ts';
import { sampleService } from './sample.ts';

const DEPLOYMENT: ScaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mnist' };
const MODEL_SERVICE: ScaleTargetRef = { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService', name: 'mnist' };

interface Parts {
  readonly name: string;
  readonly ref: ScaleTargetRef;
  readonly kind?: 'HorizontalPodAutoscaler' | 'ScaledObject';
  readonly namespace?: string;
  readonly owner?: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>;
}

const ours = { apiVersion: 'modelservice.dev/v1alpha1', kind: 'ModelService', name: 'mnist', uid: 'service-uid' };
const kedas = (name: string) => ({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name, uid: 'keda' });

const cases: readonly { readonly title: string; readonly there: readonly Parts[]; readonly found?: string }[] = [
  { title: 'our own', there: [{ name: 'mnist', ref: DEPLOYMENT, owner: ours }] },
  {
    title: 'what KEDA made of our ScaledObject',
    there: [
      { name: 'mnist', kind: 'ScaledObject', ref: DEPLOYMENT, owner: ours },
      { name: 'mnist--keda', ref: DEPLOYMENT, owner: kedas('mnist') },
    ],
  },
  { title: 'one of another Deployment', there: [{ name: 'a', ref: { ...DEPLOYMENT, name: 'other' } }] },
  { title: 'one of another kind', there: [{ name: 'a', ref: { ...DEPLOYMENT, kind: 'StatefulSet' } }] },
  { title: 'one in another namespace', there: [{ name: 'a', ref: DEPLOYMENT, namespace: 'other' }] },
  {
    title: 'one of the Deployment',
    there: [{ name: 'a', ref: DEPLOYMENT }],
    found: 'HorizontalPodAutoscaler a of the Deployment',
  },
  {
    title: 'one of the Deployment that has our name',
    there: [{ name: 'mnist', ref: DEPLOYMENT }],
    found: 'HorizontalPodAutoscaler mnist of the Deployment',
  },
  {
    title: 'one of the ModelService',
    there: [{ name: 'a', ref: MODEL_SERVICE }],
    found: 'HorizontalPodAutoscaler a of the ModelService',
  },
  {
    title: 'of two, the one of the Deployment',
    there: [
      { name: 'a', ref: MODEL_SERVICE },
      { name: 'b', ref: DEPLOYMENT },
    ],
    found: 'HorizontalPodAutoscaler b of the Deployment',
  },
  {
    title: 'a ScaledObject, whose default is a Deployment',
    there: [{ name: 'a', kind: 'ScaledObject', ref: { name: 'mnist' } }],
    found: 'ScaledObject a of the Deployment',
  },
  {
    title: 'what KEDA made of one that cannot be read, under the name that its owner knows',
    there: [{ name: 'keda-hpa-a', ref: DEPLOYMENT, owner: kedas('a') }],
    found: 'ScaledObject a of the Deployment',
  },
];

describe('outsideAutoscalerOf', () => {
  for (const { title, there, found } of cases) {
    it(`${found === undefined ? 'leaves out' : 'finds'} ${title}`, () => {
      const autoscalers = new Store<HorizontalPodAutoscaler>(SCALE_TARGET_INDEX);
      const scaledObjects = new Store<ScaledObject>(SCALE_TARGET_INDEX);
      for (const { name, ref, kind = 'HorizontalPodAutoscaler', namespace = 'vision', owner } of there) {
        const ownerReferences = owner === undefined ? [] : [{ ...owner, controller: true }];
        const metadata = { name, namespace, uid: name, resourceVersion: '1', ownerReferences };
        const store = kind === 'ScaledObject' ? scaledObjects : autoscalers;
        store.put(trimAutoscaler({ apiVersion: 'v1', kind, metadata, spec: { scaleTargetRef: ref } }));
      }
      const outside = outsideAutoscalerOf(sampleService(), { autoscalers, scaledObjects });
      assert.equal(outside && `${outside.kind} ${outside.name} of the ${outside.target}`, found);
    });
  }
});

describe('trimAutoscaler', () => {
  const ref = { name: 'mnist', namespace: 'vision', uid: 'u', resourceVersion: '1' };
  const spec = { maxReplicas: 3, scaleTargetRef: DEPLOYMENT };
  const all = { apiVersion: 'v1', kind: 'HorizontalPodAutoscaler', spec, status: {} };

  it('keeps all of ours, for its comparison and its status', () => {
    const own = { ...all, metadata: { ...ref, labels: { 'app.kubernetes.io/managed-by': 'modelservice-operator' } } };
    assert.equal(trimAutoscaler(own), own);
  });

  it('keeps what others scale, and nothing that changes all the time', () => {
    const theirs = trimAutoscaler({ ...all, metadata: ref });
    assert.deepEqual(theirs, { apiVersion: 'v1', kind: all.kind, metadata: ref, spec: { scaleTargetRef: DEPLOYMENT } });
  });
});
