import type { Intent, KubeObject, ObjectRef, ResourceType } from './types.ts';

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Page size. Default: the server's choice (one page). */
  readonly limit?: number | undefined;
  /** `metadata.continue` of the page before. */
  readonly continue?: string | undefined;
  /** '' or absent: most recent; '0': whatever the watch cache has. */
  readonly resourceVersion?: string | undefined;
}

export interface KubeList<T extends KubeObject> {
  readonly resourceVersion: string;
  /** Present while there are more pages. */
  readonly continue?: string | undefined;
  readonly items: readonly T[];
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  /** After so many seconds the server ends the watch; a healthy watch therefore never lasts for ever. */
  readonly timeoutSeconds: number;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing happened up to this resourceVersion. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Absent: the object itself. */
  readonly subresource?: 'status' | undefined;
  /** Answers with the object as it would be, defaults and all, and stores nothing. Default: false. */
  readonly dryRun?: boolean | undefined;
}

export interface DeleteOptions {
  /** Refuse (409) when the object is another one of the same name by now. */
  readonly uid?: string | undefined;
  /** Refuse (409) when the object was changed since. */
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

/**
 * The calls that the operator makes on an API server. Every failure is an `ApiError` (the server answered with a
 * Status), or a `TransportError` (no answer); an abort rejects with the signal's reason.
 */
export interface KubeApi {
  get<T extends KubeObject>(type: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<T>;
  /** One page. */
  list<T extends KubeObject>(type: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeList<T>>;
  /**
   * Events from `resourceVersion` on, bookmarks included; ends when the server ends the watch. An ERROR event inside
   * the stream is thrown as the `ApiError` that it carries.
   */
  watch<T extends KubeObject>(
    type: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** Forced server-side apply of the fields in `intent`; creates what is missing. */
  apply<T extends KubeObject>(
    type: ResourceType,
    intent: Intent,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<T>;
  /** The versions in which an API group is served, the preferred one first; none where it is not served. */
  servedVersions(group: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Succeeds when the object is gone already. */
  delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<void>;
}

/** The body of a `create`, without its type. */
export interface NewObject {
  readonly metadata?: { readonly namespace?: string; readonly name?: string };
  readonly [field: string]: unknown;
}

/** Creating what has no name of its own, such as a review: the API server answers it with a status and stores nothing. */
export interface KubeReviews {
  /** Fails like the calls of `KubeApi`; with 409 AlreadyExists where there is one of that name. */
  create<T>(type: ResourceType, body: NewObject, signal: AbortSignal): Promise<T>;
}

/** What several writers share by optimistic concurrency. Fails like the calls of `KubeApi`. */
export interface KubeUpdates extends KubeReviews, Pick<KubeApi, 'get'> {
  /** Replaces the whole object; a conflict where its resourceVersion is no longer the live one. */
  update<T extends KubeObject>(type: ResourceType, object: T, signal: AbortSignal): Promise<T>;
}
