import { sameQuantity } from './quantity.ts';

/** The names on the way to a value, list items as `[]`. */
export type FieldPath = readonly string[];

/**
 * What the API server adds inside a value that it otherwise replaces as a whole: the path's last names, the field, its
 * default (pkg/apis/core/v1/defaults.go). Where such a value is not granular, managedFields cannot tell ours from these.
 */
const defaultsInsideAtomicValues: readonly (readonly [FieldPath, string, unknown])[] = [
  [['fieldRef'], 'apiVersion', 'v1'],
  [['resourceFieldRef'], 'divisor', '0'],
  [['serviceAccountToken'], 'expirationSeconds', 3600],
];

/**
 * True when `intended`, applied, is what is stored as `live`: equal as JSON, quantities compared by value where the
 * path says that they are quantities, and an empty value equal to none (the server leaves it out).
 */
export function sameValue(intended: unknown, live: unknown, path: FieldPath): boolean {
  if (Object.is(intended, live)) return true;
  if (live === undefined || live === null) return isEmpty(intended);
  if (Array.isArray(intended)) {
    if (!Array.isArray(live) || intended.length !== live.length) return false;
    const itemPath = [...path, '[]'];
    return intended.every((item, index) => sameValue(item, live[index], itemPath));
  }
  if (isObject(intended)) return isObject(live) && sameObject(intended, live, path);
  if (isResourceQuantity(path)) return sameQuantity(intended, live, 'milli');
  return isQuantity(path) && sameQuantity(intended, live);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of the object itself: a label may be called `constructor`. */
export function ownField(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

function sameObject(
  intended: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  path: FieldPath,
): boolean {
  for (const name of new Set([...Object.keys(intended), ...Object.keys(live)])) {
    const [intendedField, liveField] = [ownField(intended, name), ownField(live, name)];
    if (intendedField === undefined && liveField === defaultInside(path, name)) continue;
    if (!sameValue(intendedField, liveField, [...path, name])) return false;
  }
  return true;
}

function defaultInside(path: FieldPath, name: string): unknown {
  const found = defaultsInsideAtomicValues.find(([end, field]) => field === name && endsWith(path, end));
  return found?.[2];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** A container's resources: the API server rounds them up to thousandths (pkg/apis/core/v1/defaults.go). */
function isResourceQuantity(path: FieldPath): boolean {
  return ['limits', 'requests'].includes(path.at(-2) ?? '');
}

/**
 * Where else the built-in types that we write hold quantities: volumes, and an HPA's targets. By path, because the
 * label `1000m` is not the label `1`.
 */
function isQuantity(path: FieldPath): boolean {
  return (
    endsWith(path, ['averageValue']) ||
    endsWith(path, ['sizeLimit']) ||
    endsWith(path, ['divisor']) ||
    endsWith(path, ['target', 'value'])
  );
}

function endsWith(path: FieldPath, end: FieldPath): boolean {
  return end.every((name, index) => path[path.length - end.length + index] === name);
}
