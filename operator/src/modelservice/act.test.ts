import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pino } from 'pino';
import type { KubeApi } from '../kube/api.ts';
import { ApiError, type ApiErrorOptions } from '../kube/errors.ts';
import { DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT, SERVICE } from '../kube/resources.ts';
import type { Intent, ResourceType } from '../kube/types.ts';
import { Applier } from '../runtime/applier.ts';
import { act } from './act.ts';
import type { Plan } from './plan/plan.ts';
import { SURGING } from './plan/rollout-strategy.ts';
import { NOT_TO_ZERO } from './plan/scale-to-zero.ts';

type Answer = Pick<ApiErrorOptions, 'code' | 'reason' | 'statusMessage' | 'causes'>;

const FORBIDDEN = { code: 403, reason: 'Forbidden', statusMessage: 'already managed by the hpa mnist' };
const NOTHING: Plan = {
  prune: [],
  children: [],
  size: undefined,
  scaleToZero: NOT_TO_ZERO,
  rollout: SURGING,
  revision: undefined,
  gatewayPort: undefined,
  problems: [],
};
const CONTEXT = { signal: new AbortController().signal, log: pino({ level: 'silent' }) };

const answers: readonly { readonly because: string; readonly answer: Answer; readonly refused: boolean }[] = [
  {
    because: 'a quota stands until somebody raises it',
    answer: { code: 403, reason: 'Forbidden', statusMessage: 'services "mnist" is forbidden: exceeded quota' },
    refused: true,
  },
  {
    because: 'a field that breaks the schema will break it again',
    answer: { code: 422, reason: 'Invalid', statusMessage: 'spec.ports: Required value' },
    refused: true,
  },
  {
    because: 'a namespace that is being deleted takes the ModelService with it',
    answer: {
      code: 403,
      reason: 'Forbidden',
      statusMessage: 'unable to create new content',
      causes: [{ reason: 'NamespaceTerminating' }],
    },
    refused: false,
  },
  {
    because: 'a server error passes',
    answer: { code: 500, reason: 'InternalError', statusMessage: 'etcdserver: request timed out' },
    refused: false,
  },
];

describe('act', () => {
  it('pauses KEDA before it takes the pods away, and takes them away though KEDA refuses', async () => {
    const sent: string[] = [];
    const api = {
      apply: async (type: ResourceType, intent: Intent) => {
        await Promise.resolve();
        sent.push(`${type.kind} ${JSON.stringify(intent.spec)}`);
        if (type === SCALED_OBJECT) throw new ApiError({ attempt: 'apply', ...FORBIDDEN });
        return { ...intent, metadata: { ...intent.metadata, uid: 'u', resourceVersion: '2' } };
      },
    } as unknown as KubeApi;
    const metadata = { name: 'mnist', namespace: 'vision' };
    const plan: Plan = {
      ...NOTHING,
      children: [
        {
          type: DEPLOYMENT,
          intent: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: {} },
          live: undefined,
        },
        {
          type: SCALED_OBJECT,
          intent: { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata, spec: {} },
          live: undefined,
        },
      ],
      size: { replicas: 0 },
    };
    const { refusals } = await act(plan, api, new Applier({ api }), CONTEXT);
    assert.deepEqual(sent, ['ScaledObject {}', 'Deployment {}', 'Deployment {"replicas":0}']);
    assert.deepEqual(
      refusals.map(({ kind }) => kind),
      ['ScaledObject'],
    );
  });

  it('deletes only what it saw, and as it saw it', async () => {
    const object = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'mnist', namespace: 'vision', uid: 'u', resourceVersion: '7' },
    };
    const deleted: unknown[] = [];
    const api = {
      delete: async (...call: readonly unknown[]) => {
        deleted.push(call.slice(1, 3));
      },
    } as unknown as KubeApi;
    const plan: Plan = { ...NOTHING, prune: [{ type: HORIZONTAL_POD_AUTOSCALER, object }] };
    await act(plan, api, new Applier({ api }), CONTEXT);
    assert.deepEqual(deleted, [
      [
        { name: 'mnist', namespace: 'vision' },
        { uid: 'u', resourceVersion: '7', propagationPolicy: 'Background' },
      ],
    ]);
  });

  for (const { because, answer, refused } of answers) {
    it(`${refused ? 'reports a refusal' : 'tries again'}: ${because}`, async () => {
      const error = new ApiError({ attempt: 'apply Service vision/mnist', ...answer });
      const api = { apply: () => Promise.reject(error) } as unknown as KubeApi;
      const intent = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mnist', namespace: 'vision' } };
      const plan: Plan = { ...NOTHING, children: [{ type: SERVICE, intent, live: undefined }] };
      const acted = act(plan, api, new Applier({ api }), CONTEXT);
      if (!refused) {
        await assert.rejects(acted, error);
        return;
      }
      const { refusals } = await acted;
      assert.deepEqual(refusals, [
        {
          kind: 'Service',
          reason: 'Refused',
          message: `The API server refuses the Service: ${answer.statusMessage}`,
        },
      ]);
    });
  }
});
