import type { KubeObject } from '../kube/types.ts';

/** An object as a store keeps it whose status nobody reads. */
export function withoutStatus(object: KubeObject): KubeObject {
  const { status, ...rest } = object as KubeObject & { readonly status?: unknown };
  return rest;
}
