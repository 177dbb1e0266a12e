import { type FieldsNode, fieldsOf } from './managed-fields.ts';
import { type FieldPath, isObject, ownField, sameValue } from './same-value.ts';
import type { Intent, KubeObject } from './types.ts';

export interface FieldOwner {
  readonly fieldManager: string;
  readonly subresource?: string | undefined;
}

/**
 * The path of the first field for which a forced server-side apply of `intent` would change `live` or our record of
 * owned fields in it, such as `spec.template.spec.containers[name=server].image`; undefined when it would change
 * nothing, so that it need not be sent.
 *
 * It compares along our entry in managedFields, because that entry tells how the server sees each list and map: keyed,
 * a set, or one atomic value. A field in the entry that the intent has no more is a difference (one more apply removes
 * it), and so is one that the entry lacks (we never owned it, or somebody overwrote it). Fields of others beside ours are
 * none. An intent is best spelled without empty objects that others fill: `strategy: {}` over a live one with content
 * cannot be told from an atomic value that was emptied, and is applied each time.
 */
export function firstDifference(intent: Intent, live: KubeObject, owner: FieldOwner): string | undefined {
  const entry = (live.metadata.managedFields ?? []).find(
    (candidate) =>
      candidate.manager === owner.fieldManager &&
      candidate.operation === 'Apply' &&
      (candidate.subresource || undefined) === owner.subresource,
  );
  if (entry === undefined || entry.apiVersion !== intent.apiVersion) return 'metadata.managedFields';
  const { apiVersion, kind, metadata, ...content } = intent;
  if (apiVersion !== live.apiVersion || kind !== live.kind) return 'apiVersion';
  // The server keeps no record of what only identifies the object or its version.
  const { name, namespace, uid, resourceVersion, ...ownMetadata } = metadata;
  const owned = { ...content, ...(hasFields(ownMetadata) ? { metadata: ownMetadata } : {}) };
  return differenceInObject(owned, live, fieldsOf(entry), []);
}

function difference(intended: unknown, live: unknown, node: unknown, path: FieldPath): string | undefined {
  const fields = isObject(node) ? Object.keys(node).filter((name) => name !== '.') : [];
  if (fields.length === 0) return sameValue(intended, live, path) ? undefined : pathText(path);
  const children = node as FieldsNode;
  if (fields.every((name) => name.startsWith('f:'))) {
    return isObject(intended) && isObject(live) ? differenceInObject(intended, live, children, path) : pathText(path);
  }
  if (!Array.isArray(intended) || !Array.isArray(live)) return pathText(path);
  if (fields.every((name) => name.startsWith('k:'))) return differenceInKeyedList(intended, live, children, path);
  if (fields.every((name) => name.startsWith('v:'))) return differenceInSet(intended, live, fields, path);
  return pathText(path);
}

function differenceInObject(
  intended: Readonly<Record<string, unknown>>,
  live: object,
  node: FieldsNode,
  path: FieldPath,
): string | undefined {
  for (const [name, value] of Object.entries(intended)) {
    if (value === undefined) continue;
    const fieldPath = [...path, name];
    const child = node[`f:${name}`];
    if (child === undefined) return pathText(fieldPath);
    const found = difference(value, ownField(live, name), child, fieldPath);
    if (found !== undefined) return found;
  }
  for (const field of Object.keys(node)) {
    if (field.startsWith('f:') && ownField(intended, field.slice(2)) === undefined)
      return pathText([...path, field.slice(2)]);
  }
  return undefined;
}

interface KeyedItem {
  readonly node: unknown;
  /** The values of the list's key fields, defaults included (`protocol: TCP`). */
  readonly key: Readonly<Record<string, unknown>>;
}

function differenceInKeyedList(
  intended: readonly unknown[],
  live: readonly unknown[],
  node: FieldsNode,
  path: FieldPath,
): string | undefined {
  const unmatched: KeyedItem[] = Object.entries(node)
    .filter(([name]) => name.startsWith('k:'))
    .map(([name, child]) => ({ node: child, key: JSON.parse(name.slice(2)) as KeyedItem['key'] }));
  if (unmatched.length !== intended.length) return pathText(path);
  let lastIndex = -1;
  for (const item of intended) {
    // An item may leave out a key field that has a default; one that spells all of them is found first.
    const match =
      unmatched.find(({ key }) => hasKey(item, key, false)) ?? unmatched.find(({ key }) => hasKey(item, key, true));
    if (match === undefined) return pathText(path);
    unmatched.splice(unmatched.indexOf(match), 1);
    const itemPath = [...path.slice(0, -1), `${path.at(-1)}[${keyText(match.key)}]`];
    const index = live.findIndex((candidate) => hasKey(candidate, match.key, true));
    // The server keeps applied items in the order of the intent; for env and initContainers it has a meaning.
    if (index <= lastIndex) return pathText(itemPath);
    lastIndex = index;
    const found = difference(item, live[index], match.node, itemPath);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differenceInSet(
  intended: readonly unknown[],
  live: readonly unknown[],
  fields: readonly string[],
  path: FieldPath,
): string | undefined {
  const owned = new Set(fields.map((name) => JSON.stringify(JSON.parse(name.slice(2)))));
  const wanted = new Set(intended.map((value) => JSON.stringify(value)));
  const stored = new Set(live.map((value) => JSON.stringify(value)));
  const same = owned.size === wanted.size && [...wanted].every((value) => owned.has(value) && stored.has(value));
  return same ? undefined : pathText(path);
}

function hasKey(item: unknown, key: KeyedItem['key'], mayLeaveOut: boolean): boolean {
  if (!isObject(item)) return false;
  return Object.entries(key).every(
    ([name, value]) => item[name] === value || (mayLeaveOut && item[name] === undefined),
  );
}

function hasFields(object: object): boolean {
  return Object.values(object).some((value) => value !== undefined);
}

function keyText(key: KeyedItem['key']): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(',');
}

function pathText(path: FieldPath): string {
  return path.join('.');
}
