import type { Intent, KubeObject, ObjectRef, OwnerReference, ResourceType } from '../../../operator/src/kube/types.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';

/** The API server refused a call of a test. */
export class TestApiError extends Error {
  override readonly name = 'TestApiError';
  readonly status: number;
  /** Kubernetes' reason, for example NotFound or Invalid. */
  readonly reason: string;

  constructor(call: string, status: number, body: unknown) {
    const { message = JSON.stringify(body), reason = '' } = (body ?? {}) as { message?: string; reason?: string };
    super(`${call} answered ${status}: ${message}`);
    this.status = status;
    this.reason = reason;
  }
}

/** An object of any kind, for tests that do not care for its type. */
export interface AnyObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/**
 * Calls on an API server in the tests' own words, apart from the operator's client, so that a defect there cannot hide
 * itself. A refused call rejects with TestApiError.
 */
export interface TestApi {
  get<T extends KubeObject = AnyObject>(type: ResourceType, ref: ObjectRef, subresource?: string): Promise<T>;
  /** undefined when there is no such object. */
  find<T extends KubeObject = AnyObject>(type: ResourceType, ref: ObjectRef): Promise<T | undefined>;
  /** All pages; `namespace` absent: all namespaces. */
  list<T extends KubeObject = AnyObject>(
    type: ResourceType,
    options?: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<readonly T[]>;
  create<T extends KubeObject = AnyObject>(type: ResourceType, object: NewObject): Promise<T>;
  /** JSON merge patch (RFC 7396). */
  mergePatch<T extends KubeObject = AnyObject>(
    type: ResourceType,
    ref: ObjectRef,
    patch: unknown,
    subresource?: string,
  ): Promise<T>;
  /** Forced server-side apply as the field manager `test`. */
  apply<T extends KubeObject = AnyObject>(type: ResourceType, object: Intent): Promise<T>;
  /** In the background; succeeds when there is no such object. */
  delete(type: ResourceType, ref: ObjectRef): Promise<void>;
}

export interface NewObject {
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: unknown;
}

export function createTestApi(client: ClusterClient): TestApi {
  const call = async <T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> => {
    const answer = await client.request(method, path, { body, contentType });
    if (answer.status >= 300) throw new TestApiError(`${method} ${path}`, answer.status, answer.body);
    return answer.body as T;
  };
  const api: TestApi = {
    get: (type, ref, subresource) => call('GET', objectPath(type, ref, subresource)),
    async find(type, ref) {
      return await orUndefined(api.get(type, ref));
    },
    async list<T extends KubeObject>(
      type: ResourceType,
      options: { readonly namespace?: string; readonly labelSelector?: string } = {},
    ) {
      const query =
        options.labelSelector === undefined ? '' : `?labelSelector=${encodeURIComponent(options.labelSelector)}`;
      const { items } = await call<{ items: readonly T[] }>(
        'GET',
        `${collectionPath(type, options.namespace)}${query}`,
      );
      return items;
    },
    create: (type, object) =>
      call('POST', collectionPath(type, object.metadata.namespace), { ...typeMeta(type), ...object }),
    mergePatch: (type, ref, patch, subresource) =>
      call('PATCH', objectPath(type, ref, subresource), patch, 'application/merge-patch+json'),
    apply: (type, object) =>
      call(
        'PATCH',
        `${objectPath(type, object.metadata)}?fieldManager=test&force=true`,
        object,
        'application/apply-patch+yaml',
      ),
    async delete(type, ref) {
      await orUndefined(call('DELETE', objectPath(type, ref), { propagationPolicy: 'Background' }));
    },
  };
  return api;
}

/** `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL`. */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  return namespace === undefined ? `${root}/${type.plural}` : `${root}/namespaces/${namespace}/${type.plural}`;
}

export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: string): string {
  const object = `${collectionPath(type, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? object : `${object}/${subresource}`;
}

function typeMeta(type: ResourceType): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`, kind: type.kind };
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TestApiError && error.status === 404) return undefined;
    throw error;
  }
}
