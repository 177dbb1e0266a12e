/**
 * `kube/` talks to an API server: authentication (load-access.ts), connections (undici), typed errors, lists, watches
 * and forced server-side apply of plain JSON, and the comparison that tells whether an apply would change anything. It
 * knows nothing of controllers. This file is its entrance: a `KubeApi` for a `ClusterAccess`.
 */
import type {
  ApplyOptions,
  DeleteOptions,
  KubeApi,
  KubeList,
  KubeUpdates,
  ListOptions,
  NewObject,
  WatchEvent,
  WatchOptions,
} from './api.ts';
import { applyBody } from './apply-body.ts';
import { ApiError, isNotFound } from './errors.ts';
import { apiVersionOf, describeRef, pathOf, queryOf } from './paths.ts';
import { type KubeRequest, Transport, type TransportOptions } from './transport.ts';
import type { Intent, KubeObject, ObjectRef, ResourceType } from './types.ts';
import { watchEventsOf } from './watch-stream.ts';

interface ListBody<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Omit<T, 'apiVersion' | 'kind'>[] | null;
}

/** A KubeApi of one API server. Close it to cut its connections. */
export class KubeClient implements KubeApi, KubeUpdates {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  async get<T extends KubeObject>(type: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<T> {
    const request: KubeRequest = {
      attempt: `get ${describeRef(type, ref)}`,
      method: 'GET',
      path: pathOf(type, ref),
    };
    return (await this.#transport.json(request, signal)) as T;
  }

  async list<T extends KubeObject>(
    type: ResourceType,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<KubeList<T>> {
    const { namespace, ...query } = options;
    const request: KubeRequest = {
      attempt: `list ${type.plural}${inNamespace(namespace)}`,
      method: 'GET',
      path: pathOf(type, { namespace }) + queryOf({ ...query }),
    };
    const body = (await this.#transport.json(request, signal)) as ListBody<T>;
    // The items of a built-in type's list carry neither.
    const typeMeta = { apiVersion: apiVersionOf(type), kind: type.kind };
    return {
      resourceVersion: body.metadata.resourceVersion,
      ...(body.metadata.continue ? { continue: body.metadata.continue } : {}),
      items: (body.items ?? []).map((item) => ({ ...typeMeta, ...item }) as T),
    };
  }

  async *watch<T extends KubeObject>(
    type: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, ...query } = options;
    const request: KubeRequest = {
      attempt: `watch ${type.plural}${inNamespace(namespace)}`,
      method: 'GET',
      path: pathOf(type, { namespace }) + queryOf({ ...query, watch: true, allowWatchBookmarks: true }),
      streaming: true,
    };
    const body = await this.#transport.stream(request, signal);
    try {
      yield* watchEventsOf<T>(body, request.attempt);
    } catch (error) {
      throw error instanceof ApiError ? error : this.#transport.failure(request, signal, error);
    } finally {
      // The consumer may stop early: the connection must not stay open behind its back.
      body.destroy();
    }
  }

  async apply<T extends KubeObject>(
    type: ResourceType,
    intent: Intent,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<T> {
    const { fieldManager, subresource, dryRun } = options;
    const what = `${subresource === undefined ? '' : `${subresource} of `}${describeRef(type, intent.metadata)}`;
    const request: KubeRequest = {
      attempt: `apply ${what} as ${fieldManager}`,
      method: 'PATCH',
      path:
        pathOf(type, intent.metadata, subresource) +
        queryOf({ fieldManager, force: true, dryRun: dryRun === true ? 'All' : undefined }),
      body: applyBody(intent),
      contentType: 'application/apply-patch+yaml',
    };
    return (await this.#transport.json(request, signal)) as T;
  }

  async servedVersions(group: string, signal: AbortSignal): Promise<readonly string[]> {
    const request: KubeRequest = { attempt: `discover ${group}`, method: 'GET', path: `/apis/${group}` };
    try {
      const { versions } = (await this.#transport.json(request, signal)) as {
        readonly versions: readonly { readonly version: string }[];
      };
      return versions.map(({ version }) => version);
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  async delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    const { propagationPolicy, uid, resourceVersion } = options;
    const request: KubeRequest = {
      attempt: `delete ${describeRef(type, ref)}`,
      method: 'DELETE',
      path: pathOf(type, ref),
      body: JSON.stringify({
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy,
        preconditions: uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion },
      }),
      contentType: 'application/json',
    };
    try {
      await this.#transport.json(request, signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async create<T>(type: ResourceType, body: NewObject, signal: AbortSignal): Promise<T> {
    const request: KubeRequest = {
      attempt: `create ${type.kind}`,
      method: 'POST',
      path: pathOf(type, { namespace: body.metadata?.namespace }),
      body: JSON.stringify({ apiVersion: apiVersionOf(type), kind: type.kind, ...body }),
      contentType: 'application/json',
    };
    return (await this.#transport.json(request, signal)) as T;
  }

  async update<T extends KubeObject>(type: ResourceType, object: T, signal: AbortSignal): Promise<T> {
    const request: KubeRequest = {
      attempt: `update ${describeRef(type, object.metadata)}`,
      method: 'PUT',
      path: pathOf(type, object.metadata),
      body: JSON.stringify(object),
      contentType: 'application/json',
    };
    return (await this.#transport.json(request, signal)) as T;
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? '' : ` in ${namespace}`;
}
