/**
 * A request that a protocol refuses. `message` begins with the field that is wrong, in the request's own spelling
 * (`inputs[0].shape: …`), and says what to send instead.
 */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';

  /** @param field where in the body, for example `inputs[0].shape`; `body` for the whole of it */
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
  }
}

/** A value as it is quoted in an error: short, and told apart by type (`"1"` is a string, `1` a number). */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === undefined) return 'missing';
  if (typeof value === 'object' && value !== null) return 'an object';
  // JSON has no infinity, but JSON.parse makes one of 1e400.
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Narrows to a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own property, so that `__proto__` and `constructor` are names like any other. */
export function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
