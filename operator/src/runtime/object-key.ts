import type { KubeObject, ObjectRef } from '../kube/types.ts';

/** `namespace/name`, or the name alone for a cluster-scoped object. */
export function keyOf(object: KubeObject): string {
  return keyOfRef(object.metadata);
}

export function keyOfRef(ref: ObjectRef): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}

export function refOfKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The key of the object of this kind that controls `object` (its ownerReference with `controller: true`). */
export function controllerKeyOf(
  object: KubeObject,
  owner: { readonly group: string; readonly kind: string },
): string | undefined {
  const reference = object.metadata.ownerReferences?.find((candidate) => candidate.controller === true);
  if (reference === undefined || reference.kind !== owner.kind || groupOf(reference.apiVersion) !== owner.group) {
    return undefined;
  }
  const { namespace } = object.metadata;
  return keyOfRef({ name: reference.name, ...(namespace === undefined ? {} : { namespace }) });
}

/** The key of the object that the label `label` of `object` names, in its namespace; none without that label. */
export function keysByLabel({ metadata }: KubeObject, label: string): readonly string[] {
  const name = metadata.labels?.[label];
  return name === undefined ? [] : [keyOfRef({ ...metadata, name })];
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
