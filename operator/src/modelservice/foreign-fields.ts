import { isObject } from '../kube/same-value.ts';
import type { Intent } from '../kube/types.ts';
import { SERVER_CONTAINER } from './conventions.ts';
import type { Deployment } from './live-objects.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that the API server fills in, or that only decide how the text of an end is found. */
const NOT_FOREIGN = new Set(['imagePullPolicy', 'terminationMessagePath', 'terminationMessagePolicy', 'resources']);
/** Lists of which others may have added to ours, and what names an item. */
const LISTS: Readonly<Record<string, string>> = { env: 'name', volumeMounts: 'mountPath', ports: 'containerPort' };

/**
 * What others set in the server's container of `live` beside `intent`, such as `env DEBUG` or `resources.limits.cpu`,
 * sorted. What they changed of ours is restored, and so never here.
 */
export function foreignFieldsOf(intent: Intent, live: Deployment): readonly string[] {
  const [wanted, found] = [serverContainerOf(intent.spec), serverContainerOf(live.spec)];
  if (wanted === undefined || found === undefined) return [];
  const added = Object.keys(found).filter(
    (name) => !NOT_FOREIGN.has(name) && LISTS[name] === undefined && wanted[name] === undefined,
  );
  const items = Object.entries(LISTS).flatMap(([name, key]) =>
    without(namesOf(found[name], key), namesOf(wanted[name], key)).map((item) => `${name} ${item}`),
  );
  const quantities = ['limits', 'requests'].flatMap((part) =>
    without(keysOf(found.resources, part), keysOf(wanted.resources, part)).map((item) => `resources.${part}.${item}`),
  );
  return [...added, ...items, ...quantities].toSorted();
}

function serverContainerOf(spec: unknown): Fields | undefined {
  const podSpec = fieldOf(fieldOf(spec, 'template'), 'spec');
  return listOf(fieldOf(podSpec, 'containers')).find(({ name }) => name === SERVER_CONTAINER);
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function namesOf(list: unknown, key: string): readonly string[] {
  return listOf(list).map((item) => String(item[key]));
}

function keysOf(resources: unknown, part: string): readonly string[] {
  const values = fieldOf(resources, part);
  return isObject(values) ? Object.keys(values) : [];
}

function without(names: readonly string[], ours: readonly string[]): readonly string[] {
  return names.filter((name) => !ours.includes(name));
}
