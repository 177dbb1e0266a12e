import type { ObjectRef, ResourceType } from './types.ts';

/** The URL path of one object or, without a name, of a collection (all namespaces when there is none). */
export function pathOf(
  type: ResourceType,
  target: { readonly namespace?: string | undefined; readonly name?: string },
  subresource?: string,
): string {
  const parts = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (type.namespaced && target.namespace !== undefined) parts.push('namespaces', target.namespace);
  parts.push(type.plural);
  if (target.name !== undefined) {
    if (type.namespaced && target.namespace === undefined) {
      throw new TypeError(`${type.kind} ${target.name} needs a namespace: the type is namespaced`);
    }
    parts.push(target.name);
  }
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** `?a=b`, leaving out what is undefined; '' when nothing is left. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? '' : `?${query}`;
}

export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** `Deployment default/mnist`, for messages. */
export function describeRef(type: ResourceType, ref: ObjectRef): string {
  return `${type.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
}
